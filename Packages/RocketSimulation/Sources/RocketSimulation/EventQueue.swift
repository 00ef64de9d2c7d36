import RocketSystem

/// Events in the order of their times; those of the same time in the order of numbers that the
/// world's generator gives them. A pure value.
struct EventQueue<Event> {
    private struct Entry {
        let time: UInt64
        let tie: UInt64
        let sequence: UInt64
        let event: Event

        func isBefore(_ other: Entry) -> Bool {
            if time != other.time { return time < other.time }
            if tie != other.tie { return tie < other.tie }
            return sequence < other.sequence
        }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var lastSequence: UInt64 = 0

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    /// The time of the next event.
    var nextTime: MonotonicTime? { entries.first.map { MonotonicTime(nanoseconds: $0.time) } }

    /// - Parameter tie: the order among events of the same time.
    mutating func insert(_ event: Event, at time: MonotonicTime, tie: UInt64) {
        lastSequence += 1
        entries.append(
            Entry(time: time.nanoseconds, tie: tie, sequence: lastSequence, event: event))
        var index = entries.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            if !entries[index].isBefore(entries[parent]) { break }
            entries.swapAt(index, parent)
            index = parent
        }
    }

    mutating func popFirst() -> (time: MonotonicTime, event: Event)? {
        guard let first = entries.first else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            siftDown()
        }
        return (MonotonicTime(nanoseconds: first.time), first.event)
    }

    private mutating func siftDown() {
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2]
            where child < entries.count && entries[child].isBefore(entries[least]) {
                least = child
            }
            if least == index { return }
            entries.swapAt(index, least)
            index = least
        }
    }
}
