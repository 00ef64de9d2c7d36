public import RocketSystem

/// Deadlines and what belongs to them: a pure value with no clock of its own.
///
/// Entries with the same deadline come out in the order they went in. A heap of small entries
/// beside a table of payloads: inserting is O(log n), and O(1) when deadlines come in rising
/// order; removing is O(1), since an entry that has lost its payload stays in the heap until it
/// reaches the top, or until more than half are such.
@frozen
public struct TimerQueue<Payload> {
    @usableFromInline var heap = TimerHeap()
    @usableFromInline var slots: ContiguousArray<TimerSlot<Payload>> = []
    @usableFromInline var freeSlot: UInt32 = .max
    @usableFromInline var nextSequence: UInt64 = 0
    @usableFromInline var waiting = 0

    /// An empty queue.
    @inlinable
    public init() {}

    /// Entries that are neither expired nor removed.
    @inlinable
    public var count: Int { waiting }

    /// True when nothing is waiting.
    @inlinable
    public var isEmpty: Bool { waiting == 0 }

    /// The time until which nothing expires: the soonest deadline, or an earlier one where removed
    /// entries are still to be dropped (see `prune`). nil when empty.
    @inlinable
    public var earliest: MonotonicTime? {
        waiting == 0 ? nil : heap.entries.first.map { MonotonicTime(nanoseconds: $0.deadline) }
    }

    /// Drops removed entries before the soonest deadline, so that `earliest` is exact.
    @inlinable
    public mutating func prune() { uncoverFirst() }

    /// Adds an entry that expires at `deadline`, and with `interval` again each such time later
    /// until it is removed. An interval is 1 nanosecond or more. At most 2^32 - 1 entries.
    @inlinable
    public mutating func insert(
        at deadline: MonotonicTime, every interval: Duration? = nil, _ payload: Payload
    ) -> TimerID {
        let nanoseconds = interval.map { UInt64(Swift.max(1, $0.wholeNanoseconds)) } ?? 0
        let slot = takeSlot(payload, nanoseconds)
        let generation = slots[Int(slot)].generation
        push(deadline.nanoseconds, slot, generation)
        waiting += 1
        return TimerID(slot: slot, generation: generation)
    }

    /// Takes the entry out and gives its payload back; nil when it has expired or was removed
    /// before. A repeating entry can be removed while it fires.
    @inlinable @discardableResult
    public mutating func remove(_ id: TimerID) -> Payload? {
        guard contains(id) else { return nil }
        let payload = releaseSlot(id.slot)
        waiting -= 1
        boundRemoved()
        return payload
    }

    /// True while the entry waits.
    @inlinable
    public func contains(_ id: TimerID) -> Bool {
        Int(id.slot) < slots.count && slots[Int(id.slot)].generation == id.generation
    }

    /// Takes out one entry whose deadline is `now` or earlier, the soonest first; nil when there
    /// is none. A repeating one stays, with its next deadline after `now`: however late it is, it
    /// comes out once.
    @inlinable
    public mutating func popExpired(now: MonotonicTime) -> (id: TimerID, payload: Payload)? {
        uncoverFirst()
        guard let entry = heap.entries.first, entry.deadline <= now.nanoseconds else { return nil }
        let id = TimerID(slot: entry.slot, generation: entry.generation)
        let interval = slots[Int(entry.slot)].interval
        if interval > 0, let payload = slots[Int(entry.slot)].payload {
            rearm(entry, interval, now.nanoseconds)
            return (id, payload)
        }
        heap.removeFirst()
        waiting -= 1
        let payload = releaseSlot(entry.slot)
        return payload.map { (id, $0) }
    }

    /// Takes everything out, in no particular order.
    public mutating func removeAll() -> [Payload] {
        let payloads = slots.compactMap { $0.payload }
        for (index, slot) in slots.enumerated() where slot.payload != nil {
            _ = releaseSlot(UInt32(index))
        }
        heap = TimerHeap()
        waiting = 0
        return payloads
    }
}

/// Names one entry of a `TimerQueue`. Names nothing else after the entry is gone.
@frozen
public struct TimerID: Hashable, Sendable {
    @usableFromInline let slot: UInt32
    @usableFromInline let generation: UInt32

    @inlinable
    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}

extension TimerQueue: Sendable where Payload: Sendable {}
