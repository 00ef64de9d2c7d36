/// Values in a row, reached by number: an array that is never shared, and so looks for no other
/// owner with each change.
@safe
struct UniqueArray<Element>: ~Copyable {
    // SAFETY: the first `count` elements are initialised, no others; nothing hands the pointer out.
    private var start: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 64) {
        self.capacity = capacity
        unsafe start = .allocate(capacity: capacity)
    }

    /// So many of the same.
    init(repeating element: Element, count: Int) {
        self.init(capacity: count)
        unsafe start.initialize(repeating: element, count: count)
        self.count = count
    }

    deinit {
        unsafe start.deinitialize(count: count)
        unsafe start.deallocate()
    }

    var indices: Range<Int> { 0..<count }

    subscript(index: Int) -> Element {
        @inline(__always) _read {
            precondition(index >= 0 && index < count, "UniqueArray: a number without a slot")
            yield unsafe start[index]
        }
        @inline(__always) _modify {
            precondition(index >= 0 && index < count, "UniqueArray: a number without a slot")
            yield unsafe &start[index]
        }
    }

    mutating func append(_ element: consuming Element) {
        if count == capacity { grow() }
        unsafe (start + count).initialize(to: element)
        count += 1
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
        unsafe larger.moveInitialize(from: start, count: count)
        unsafe start.deallocate()
        unsafe start = larger
        capacity *= 2
    }
}
