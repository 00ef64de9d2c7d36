/// What the heap orders: 24 bytes, so that sifting stays within few cache lines.
@frozen @usableFromInline
struct TimerEntry: Sendable {
    /// Nanoseconds of monotonic time.
    @usableFromInline let deadline: UInt64
    /// Rises with each insertion: equal deadlines keep their order.
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

/// A 4-ary min-heap of entries: half the levels of a binary one, and the four children of a node
/// lie side by side.
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

    /// Puts `entry` in the place of the first one.
    @inlinable
    mutating func replaceFirst(with entry: TimerEntry) { siftDown(entry, from: 0) }

    /// Drops all entries for which `isRemoved` holds: O(n).
    @inlinable
    mutating func removeAll(where isRemoved: (TimerEntry) -> Bool) {
        entries.removeAll(where: isRemoved)
        if entries.count < 2 { return }
        for index in stride(from: (entries.count - 2) / 4, through: 0, by: -1) {
            siftDown(entries[index], from: index)
        }
    }

    @inlinable
    mutating func siftUp(_ entry: TimerEntry, from start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 4
            guard entry < entries[parent] else { break }
            entries[index] = entries[parent]
            index = parent
        }
        if index != start { entries[index] = entry }
    }

    @inlinable
    mutating func siftDown(_ entry: TimerEntry, from start: Int) {
        var index = start
        let count = entries.count
        while true {
            let first = 4 * index + 1
            if first >= count { break }
            var least = first
            for child in (first + 1)..<Swift.max(first + 1, Swift.min(first + 4, count))
            where entries[child] < entries[least] {
                least = child
            }
            guard entries[least] < entry else { break }
            entries[index] = entries[least]
            index = least
        }
        entries[index] = entry
    }
}
