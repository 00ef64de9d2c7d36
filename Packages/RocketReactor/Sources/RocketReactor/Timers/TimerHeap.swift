/// An entry of the heap: 24 bytes, so that sifting stays within few cache lines.
@frozen @usableFromInline
struct TimerEntry: Sendable {
    /// Nanoseconds of monotonic time.
    @usableFromInline let deadline: UInt64
    /// Increased with each insertion, so that equal deadlines keep their order.
    @usableFromInline let sequence: UInt64
    @usableFromInline let slot: UInt32
    @usableFromInline let generation: UInt32

    @inlinable
    init(deadline: UInt64, sequence: UInt64, slot: UInt32, generation: UInt32) {
        self.deadline = deadline
        self.sequence = sequence
        self.slot = slot
        self.generation = generation
    }

    @inlinable
    static func < (a: TimerEntry, b: TimerEntry) -> Bool {
        a.deadline != b.deadline ? a.deadline < b.deadline : a.sequence < b.sequence
    }
}

/// A 4-ary min-heap of entries. It has half the levels of a binary heap, and the four children of a
/// node are adjacent in memory.
@frozen @usableFromInline
struct TimerHeap: Sendable {
    @usableFromInline var entries: ContiguousArray<TimerEntry> = []

    @inlinable init() {}

    @inlinable
    mutating func insert(_ entry: TimerEntry) {
        entries.append(entry)
        siftUp(entry, from: entries.count - 1)
    }

    /// The heap must not be empty.
    @inlinable
    mutating func removeFirst() {
        let last = entries.removeLast()
        if !entries.isEmpty { siftDown(last, from: 0) }
    }

    /// Replaces the first entry. The heap must not be empty.
    @inlinable
    mutating func replaceFirst(with entry: TimerEntry) { siftDown(entry, from: 0) }

    /// Drops all entries for which `isRemoved` returns true. O(n).
    @inlinable
    mutating func removeAll(where isRemoved: (TimerEntry) -> Bool) {
        entries.removeAll(where: isRemoved)
        let count = entries.count
        if count < 2 { return }
        // SAFETY: see `siftDown`.
        unsafe entries.withUnsafeMutableBufferPointer { buffer in
            for index in stride(from: (count - 2) / 4, through: 0, by: -1) {
                let entry = unsafe buffer[index]
                unsafe Self.siftDown(buffer, entry, from: index)
            }
        }
    }

    @inlinable
    mutating func siftUp(_ entry: TimerEntry, from start: Int) {
        unsafe entries.withUnsafeMutableBufferPointer { buffer in
            unsafe Self.siftUp(buffer, entry, from: start)
        }
    }

    @inlinable
    mutating func siftDown(_ entry: TimerEntry, from start: Int) {
        unsafe entries.withUnsafeMutableBufferPointer { buffer in
            unsafe Self.siftDown(buffer, entry, from: start)
        }
    }

    // SAFETY of both: all indices come from the arithmetic of the heap, between 0 and the count.
    // Through the array itself, each step would check bounds and unique ownership again.

    @inlinable
    static func siftUp(
        _ entries: UnsafeMutableBufferPointer<TimerEntry>, _ entry: TimerEntry, from start: Int
    ) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 4
            guard unsafe entry < entries[parent] else { break }
            unsafe entries[index] = entries[parent]
            index = parent
        }
        unsafe entries[index] = entry
    }

    @inlinable
    static func siftDown(
        _ entries: UnsafeMutableBufferPointer<TimerEntry>, _ entry: TimerEntry, from start: Int
    ) {
        var index = start
        let count = entries.count
        while true {
            let first = 4 &* index &+ 1
            if first >= count { break }
            var least = first
            var child = first &+ 1
            let end = Swift.min(first &+ 4, count)
            while child < end {
                if unsafe entries[child] < entries[least] { least = child }
                child &+= 1
            }
            guard unsafe entries[least] < entry else { break }
            unsafe entries[index] = entries[least]
            index = least
        }
        unsafe entries[index] = entry
    }
}
