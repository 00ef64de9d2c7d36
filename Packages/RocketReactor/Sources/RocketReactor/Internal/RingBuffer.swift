/// A first-in first-out queue that reuses its storage. Holds a power of two of elements, doubles
/// when full.
@safe
struct RingBuffer<Element>: ~Copyable {
    // SAFETY: elements at head ..< head + count (modulo capacity) are initialised, no others;
    // nothing hands the pointer out.
    private var storage: UnsafeMutablePointer<Element>
    private var mask: Int
    private var head = 0
    private(set) var count = 0

    init(capacity: Int = 64) {
        let capacity = Self.powerOfTwo(capacity)
        unsafe storage = .allocate(capacity: capacity)
        mask = capacity - 1
    }

    deinit {
        for offset in 0..<count {
            unsafe (storage + ((head &+ offset) & mask)).deinitialize(count: 1)
        }
        unsafe storage.deallocate()
    }

    var isEmpty: Bool { count == 0 }
    var capacity: Int { mask + 1 }

    mutating func append(_ element: consuming Element) {
        if count > mask { move(to: capacity * 2) }
        unsafe (storage + ((head &+ count) & mask)).initialize(to: element)
        count &+= 1
    }

    mutating func popFirst() -> Element? {
        if count == 0 { return nil }
        let element = unsafe (storage + head).move()
        head = (head &+ 1) & mask
        count &-= 1
        return element
    }

    /// Gives memory back after a burst: shrinks to `capacity` when empty and larger.
    mutating func shrink(to capacity: Int) {
        if count == 0, self.capacity > capacity { move(to: Self.powerOfTwo(capacity)) }
    }

    private mutating func move(to capacity: Int) {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        for offset in 0..<count {
            unsafe (larger + offset).moveInitialize(
                from: storage + ((head &+ offset) & mask), count: 1)
        }
        unsafe storage.deallocate()
        unsafe storage = larger
        mask = capacity - 1
        head = 0
    }

    private static func powerOfTwo(_ number: Int) -> Int {
        1 << (Int.bitWidth - (max(number, 2) - 1).leadingZeroBitCount)
    }
}
