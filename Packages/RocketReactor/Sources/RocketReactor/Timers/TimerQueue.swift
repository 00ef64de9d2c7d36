public import RocketSystem

/// A priority queue of deadlines and their payloads: a pure value without a clock. Its owner
/// serialises all access.
///
/// Entries with the same deadline expire in the order of their insertion. The queue is a heap of
/// small entries beside a table of payloads. Inserting is O(log n), and O(1) when deadlines rise.
/// Removing is O(1): an entry that has lost its payload stays in the heap until it reaches the top,
/// or until more than half of the heap are such entries.
@frozen
public struct TimerQueue<Payload> {
    @usableFromInline var heap = TimerHeap()
    @usableFromInline var slots: ContiguousArray<TimerSlot<Payload>> = []
    @usableFromInline var freeSlot: UInt32 = .max
    @usableFromInline var nextSequence: UInt64 = 0
    @usableFromInline var waiting = 0

    /// Creates an empty queue.
    @inlinable
    public init() {}

    /// How many entries are neither expired nor removed.
    @inlinable
    public var count: Int { waiting }

    /// True when no entry waits.
    @inlinable
    public var isEmpty: Bool { waiting == 0 }

    /// The time until which no entry expires: the soonest deadline, or an earlier one while removed
    /// entries have not been dropped (see `prune`). Nil when the queue is empty.
    @inlinable
    public var earliest: MonotonicTime? {
        waiting == 0 ? nil : heap.entries.first.map { MonotonicTime(nanoseconds: $0.deadline) }
    }

    /// Drops removed entries before the soonest deadline, so that `earliest` is exact.
    @inlinable
    public mutating func prune() { uncoverFirst() }

    /// Adds an entry that expires at `deadline`, and with an `interval` again after each interval
    /// until it is removed. An interval is at least 1 nanosecond. At most 2^32 - 1 entries.
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

    /// Removes the entry and returns its payload; nil when it has expired or was removed before. A
    /// repeating entry can be removed while it fires.
    @inlinable @discardableResult
    public mutating func remove(_ id: TimerID) -> Payload? {
        guard contains(id) else { return nil }
        let payload = releaseSlot(id.slot)
        waiting -= 1
        boundRemoved()
        return payload
    }

    /// Returns true while the entry waits.
    @inlinable
    public func contains(_ id: TimerID) -> Bool {
        Int(id.slot) < slots.count && slots[Int(id.slot)].generation == id.generation
    }

    /// Removes and returns one entry whose deadline is `now` or earlier, the soonest first; nil
    /// when there is none. A repeating entry stays, with its next deadline after `now`: however
    /// late it is, it is returned once.
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

    /// Removes all entries and returns their payloads, in no particular order.
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

/// Identifies one entry of a `TimerQueue`, and no other entry after that one is gone.
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

// MARK: - Slots

extension TimerQueue {
    @inlinable
    mutating func takeSlot(_ payload: Payload, _ interval: UInt64) -> UInt32 {
        if freeSlot != .max {
            let slot = freeSlot
            let index = Int(slot)
            freeSlot = slots[index].nextFree
            slots[index].payload = payload
            slots[index].interval = interval
            return slot
        }
        precondition(slots.count < Int(UInt32.max), "a timer queue holds fewer than 2^32 entries")
        slots.append(TimerSlot(payload: payload, interval: interval))
        return UInt32(slots.count - 1)
    }

    @inlinable
    mutating func releaseSlot(_ slot: UInt32) -> Payload? {
        let index = Int(slot)
        let payload = slots[index].payload.take()
        slots[index].generation &+= 1
        slots[index].nextFree = freeSlot
        freeSlot = slot
        return payload
    }

    @inlinable
    mutating func push(_ deadline: UInt64, _ slot: UInt32, _ generation: UInt32) {
        heap.insert(
            TimerEntry(
                deadline: deadline, sequence: nextSequence, slot: slot, generation: generation))
        nextSequence &+= 1
    }

    /// Moves a firing entry to its next deadline after `now`.
    @inlinable
    mutating func rearm(_ entry: TimerEntry, _ interval: UInt64, _ now: UInt64) {
        let periods = (now - entry.deadline) / interval + 1
        let (delta, overflow) = periods.multipliedReportingOverflow(by: interval)
        let (next, overflowed) = entry.deadline.addingReportingOverflow(delta)
        let deadline = overflow || overflowed ? UInt64.max : next
        heap.replaceFirst(
            with: TimerEntry(
                deadline: deadline, sequence: nextSequence, slot: entry.slot,
                generation: entry.generation))
        nextSequence &+= 1
    }

    @inlinable
    func isRemoved(_ entry: TimerEntry) -> Bool {
        slots[Int(entry.slot)].generation != entry.generation
    }

    /// Bounds the removed entries in the heap after a removal: at most half of it, and 64. So
    /// memory is bounded, and a removal costs O(1) on average.
    @inlinable
    mutating func boundRemoved() {
        if heap.entries.count > 2 * waiting + 64 { compact() }
    }

    /// Drops removed entries until the top of the heap is a waiting one. Many of them are dropped
    /// together, which is much cheaper than one by one.
    @inlinable
    mutating func uncoverFirst() {
        while let first = heap.entries.first, isRemoved(first) {
            let removed = heap.entries.count - waiting
            if removed > 16, 4 * removed > heap.entries.count {
                compact()
            } else {
                heap.removeFirst()
            }
        }
    }

    @inlinable
    mutating func compact() {
        let slots = self.slots
        heap.removeAll { slots[Int($0.slot)].generation != $0.generation }
    }
}

/// The slot of a timer's payload while it waits.
@frozen @usableFromInline
struct TimerSlot<Payload> {
    @usableFromInline var payload: Payload?
    /// Nanoseconds between firings; 0 for a timer that fires once.
    @usableFromInline var interval: UInt64
    /// Increased when the slot is freed: older ids and heap entries refer to no entry from then on.
    @usableFromInline var generation: UInt32 = 0
    @usableFromInline var nextFree: UInt32 = Self.none

    /// No slot.
    @inlinable static var none: UInt32 { .max }

    @inlinable
    init(payload: Payload, interval: UInt64) {
        self.payload = payload
        self.interval = interval
    }
}

extension TimerSlot: Sendable where Payload: Sendable {}
