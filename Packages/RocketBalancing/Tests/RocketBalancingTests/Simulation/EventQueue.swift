import RocketSystem

/// Events in the order of their times; those of equal times in the order in which they were added.
struct EventQueue<Event> {
    private struct Entry {
        var time: UInt64
        var number: Int
        var event: Event
    }

    private var heap: [Entry] = []
    private var added = 0

    mutating func add(_ event: Event, at time: UInt64) {
        heap.append(Entry(time: time, number: added, event: event))
        added += 1
        var index = heap.count - 1
        while index > 0, isBefore(index, (index - 1) / 2) {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func next() -> (time: UInt64, event: Event)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var index = 0
            while true {
                var least = index
                for child in [2 * index + 1, 2 * index + 2]
                where child < heap.count && isBefore(child, least) { least = child }
                if least == index { break }
                heap.swapAt(index, least)
                index = least
            }
        }
        return (first.time, first.event)
    }

    private func isBefore(_ a: Int, _ b: Int) -> Bool {
        (heap[a].time, heap[a].number) < (heap[b].time, heap[b].number)
    }
}

/// A generator with a seed (SplitMix64), and the distributions of queue models.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ probability: Double) -> Bool {
        Double(next() >> 11) / Double(1 << 53) < probability
    }

    /// A duration in nanoseconds, exponentially distributed.
    mutating func exponential(mean nanoseconds: Double) -> UInt64 {
        let uniform = Double((next() >> 11) + 1) / Double(1 << 53)
        return UInt64(max(1, -naturalLogarithm(uniform) * nanoseconds))
    }

    /// ln, from the exponent and a series, so that the tests need no C library.
    private func naturalLogarithm(_ value: Double) -> Double {
        let ratio = (value.significand - 1) / (value.significand + 1)
        let square = ratio * ratio
        var sum = 0.0
        var power = ratio
        for odd in stride(from: 1.0, through: 21, by: 2) {
            sum += power / odd
            power *= square
        }
        return 2 * sum + Double(value.exponent) * 0.693_147_180_559_945
    }
}
