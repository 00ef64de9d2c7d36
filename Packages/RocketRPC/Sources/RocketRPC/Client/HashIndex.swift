/// From the hash of an id to the slot that has it: open addressing with linear probing, no more
/// than half full. Ids themselves stand in the slots. A pure value.
struct HashIndex: ~Copyable {
    // Not private: the debug build of this compiler can't use a private type in a `UniqueArray`.
    struct Bucket {
        var hash: UInt64 = 0
        /// Negative: free.
        var slot: Int32 = -1
    }

    private var buckets = UniqueArray(repeating: Bucket(), count: 64)
    private(set) var count = 0

    private var mask: Int { buckets.count &- 1 }

    /// The slot of that hash for which `matches` holds.
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

    /// `slot` is in no bucket yet.
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

    /// `slot` is in a bucket of that hash.
    mutating func remove(_ hash: UInt64, _ slot: Int) {
        var hole = Int(truncatingIfNeeded: hash) & mask
        while buckets[hole].slot != slot {
            precondition(buckets[hole].slot >= 0, "HashIndex: what is removed is there")
            hole = (hole &+ 1) & mask
        }
        count -= 1
        // Those behind it move up, as far as each stays at or behind its own place.
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
