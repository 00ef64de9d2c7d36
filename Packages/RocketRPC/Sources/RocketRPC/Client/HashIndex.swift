/// Maps the hash of an id to the slot that holds the id: open addressing with linear probing, at
/// most half full. A value that can't be copied.
struct HashIndex: ~Copyable {
    // Not private: the debug build of Swift 6.3.1 can't use a private type in a `UniqueArray`.
    struct Bucket {
        var hash: UInt64 = 0
        /// Negative: the bucket is free.
        var slot: Int32 = -1
    }

    private var buckets = UniqueArray(repeating: Bucket(), count: 64)
    private(set) var count = 0

    private var mask: Int { buckets.count &- 1 }

    /// The slot with that hash for which `matches` returns true.
    @inline(__always)
    func find(_ hash: UInt64, where matches: (Int) -> Bool) -> Int? {
        var index = Int(truncatingIfNeeded: hash) & mask
        while buckets[index].slot >= 0 {
            let slot = Int(buckets[index].slot)
            if buckets[index].hash == hash, matches(slot) { return slot }
            index = (index &+ 1) & mask
        }
        return nil
    }

    /// Adds a slot, which must not be in the index.
    mutating func insert(_ hash: UInt64, _ slot: Int) {
        if 2 * (count + 1) > buckets.count { resize(to: 2 * buckets.count) }
        place(Bucket(hash: hash, slot: Int32(slot)))
        count += 1
    }

    private mutating func place(_ bucket: Bucket) {
        var index = Int(truncatingIfNeeded: bucket.hash) & mask
        while buckets[index].slot >= 0 { index = (index &+ 1) & mask }
        buckets[index] = bucket
    }

    /// Removes a slot, which must be in the index with that hash.
    mutating func remove(_ hash: UInt64, _ slot: Int) {
        var hole = Int(truncatingIfNeeded: hash) & mask
        while buckets[hole].slot != slot {
            precondition(buckets[hole].slot >= 0, "HashIndex: the removed slot is in the index")
            hole = (hole &+ 1) & mask
        }
        count -= 1
        // Moves up the buckets behind it, none of them before the index its hash begins at.
        var next = (hole &+ 1) & mask
        while buckets[next].slot >= 0 {
            let home = Int(truncatingIfNeeded: buckets[next].hash) & mask
            if (next &- home) & mask >= (next &- hole) & mask {
                buckets[hole] = buckets[next]
                hole = next
            }
            next = (next &+ 1) & mask
        }
        buckets[hole].slot = -1
    }

    private mutating func resize(to capacity: Int) {
        var old = UniqueArray(repeating: Bucket(), count: capacity)
        swap(&old, &buckets)
        for index in old.indices where old[index].slot >= 0 { place(old[index]) }
    }
}

/// An array that can't be copied, and so need not check for other owners of its storage with each
/// change.
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
            precondition(index >= 0 && index < count, "UniqueArray: the index is in range")
            yield unsafe start[index]
        }
        @inline(__always) _modify {
            precondition(index >= 0 && index < count, "UniqueArray: the index is in range")
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
