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

    /// Keeps the two promises about removed entries in the heap: none on its top, and not more of
    /// them than of waiting ones (beyond a few, that a small heap need not care for).
    @inlinable
    mutating func dropRemoved() {
        while let first = heap.entries.first, isRemoved(first) { heap.removeFirst() }
        guard heap.entries.count > 2 * waiting + 64 else { return }
        let slots = self.slots
        heap.removeAll { slots[Int($0.slot)].generation != $0.generation }
    }
}
