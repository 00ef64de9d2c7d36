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

    /// After a removal: most of the heap is not made of removed entries (a small heap need not
    /// care). So the memory is bounded, and a removal costs O(1) on the long average.
    @inlinable
    mutating func boundRemoved() {
        if heap.entries.count > 2 * waiting + 64 { compact() }
    }

    /// The top of the heap is a waiting entry, or the heap is empty. Many removed ones are dropped
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
