/// A first-in first-out queue that reuses its storage: appending and taking the first element move
/// an index. The capacity is a power of two and doubles when it is used up. A value with one owner,
/// which serialises all access.
///
/// ```
/// storage:  | 5 | 6 |   |   | 1 | 2 | 3 | 4 |    capacity 8, count 6
///                             ^ head; append writes behind 6, popFirst takes 1
/// ```
/// Everything is inlinable: event loops append and take millions of elements per second through it.
@frozen @safe
public struct RingBuffer<Element>: ~Copyable {
    // SAFETY: the elements at head ..< head + used, modulo the capacity, are initialised, and no
    // others. The pointer does not leave this type. While the capacity is 0 it points nowhere, and
    // no element is read or written through it.
    @usableFromInline var storage: UnsafeMutablePointer<Element>
    /// The capacity less 1; -1 without storage.
    @usableFromInline var mask: Int
    @usableFromInline var head = 0
    @usableFromInline var used = 0

    /// Makes an empty queue.
    ///
    /// - Parameter capacity: room for at least so many elements, rounded up to a power of two;
    ///   0 allocates nothing before the first `append`. Default 0.
    @inlinable
    public init(capacity: Int = 0) {
        let rounded = Self.roundedUp(capacity)
        unsafe storage = Self.allocate(rounded)
        mask = rounded - 1
    }

    @inlinable
    deinit {
        for offset in 0..<used { unsafe slot(offset).deinitialize(count: 1) }
        if mask >= 0 { unsafe storage.deallocate() }
    }

    /// How many elements there are.
    @inlinable
    public var count: Int { used }

    /// True when there is no element.
    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// How many elements fit before the storage grows.
    @inlinable
    public var capacity: Int { mask + 1 }

    /// The element that `popFirst` takes next; nil when the queue is empty.
    @inlinable
    public var first: Element? { count == 0 ? nil : unsafe slot(0).pointee }

    /// The element behind `offset` others, counted from the first. `offset` is less than `count`.
    @inlinable
    public subscript(offset: Int) -> Element {
        get {
            precondition(offset >= 0 && offset < count, "RingBuffer: offset out of range")
            return unsafe slot(offset).pointee
        }
        set {
            precondition(offset >= 0 && offset < count, "RingBuffer: offset out of range")
            unsafe slot(offset).pointee = newValue
        }
    }

    /// Puts an element behind all others. Allocates only when the capacity is used up.
    @inlinable
    public mutating func append(_ element: consuming Element) {
        if used > mask { move(toCapacity: max(16, capacity * 2)) }
        unsafe (storage + ((head &+ used) & mask)).initialize(to: element)
        used &+= 1
    }

    /// Takes the first element out; nil when the queue is empty.
    @inlinable
    public mutating func popFirst() -> Element? {
        if used == 0 { return nil }
        let element = unsafe (storage + head).move()
        head = (head &+ 1) & mask
        used &-= 1
        return element
    }

    /// Takes the elements out for which `isRemoved` returns true. The others keep their order.
    /// Looks at all of them.
    @inlinable
    public mutating func removeAll(where isRemoved: (Element) -> Bool) {
        for _ in 0..<count {
            let element = unsafe slot(0).move()
            head = (head &+ 1) & mask
            used &-= 1
            if isRemoved(element) { continue }
            unsafe slot(count).initialize(to: element)
            used &+= 1
        }
    }

    /// Frees memory after a burst: an empty queue with a larger capacity gets this one, rounded up
    /// to a power of two. Without effect on others.
    @inlinable
    public mutating func shrink(to capacity: Int) {
        if count == 0, self.capacity > capacity { move(toCapacity: Self.roundedUp(capacity)) }
    }

    /// `offset` is less than the capacity.
    @inlinable
    func slot(_ offset: Int) -> UnsafeMutablePointer<Element> {
        unsafe storage + ((head &+ offset) & mask)
    }

    /// Off the path of `append`, which is inlined where it is used.
    @inlinable @inline(never)
    mutating func move(toCapacity capacity: Int) {
        let target = unsafe Self.allocate(capacity)
        let beforeEnd = min(used, self.capacity - head)
        unsafe target.moveInitialize(from: storage + head, count: beforeEnd)
        unsafe (target + beforeEnd).moveInitialize(from: storage, count: used - beforeEnd)
        if mask >= 0 { unsafe storage.deallocate() }
        unsafe storage = target
        mask = capacity - 1
        head = 0
    }

    @inlinable
    static func allocate(_ capacity: Int) -> UnsafeMutablePointer<Element> {
        if capacity > 0 { return .allocate(capacity: capacity) }
        return unsafe UnsafeMutablePointer(bitPattern: MemoryLayout<Element>.alignment)
            .unsafelyUnwrapped
    }

    @inlinable
    static func roundedUp(_ capacity: Int) -> Int {
        if capacity <= 0 { return 0 }
        return 1 << (Int.bitWidth - (max(capacity, 2) - 1).leadingZeroBitCount)
    }
}

// SAFETY: the storage has one owner and moves with it; other threads reach the elements only
// through the value.
extension RingBuffer: @unchecked Sendable where Element: Sendable {}
