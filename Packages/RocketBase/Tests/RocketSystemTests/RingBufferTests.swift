import RocketSystem
import Testing

@Suite("RingBuffer")
struct RingBufferTests {
    /// Takes everything out.
    private func drain(_ ring: inout RingBuffer<Int>) -> [Int] {
        var all: [Int] = []
        while let next = ring.popFirst() { all.append(next) }
        return all
    }

    /// A ring whose first element lies at `head` of a capacity of 8.
    private func ring(_ elements: Range<Int>, head: Int) -> RingBuffer<Int> {
        var ring = RingBuffer<Int>(capacity: 8)
        for _ in 0..<head {
            ring.append(-1)
            _ = ring.popFirst()
        }
        for element in elements { ring.append(element) }
        return ring
    }

    @Test("Allocates nothing before the first append")
    func empty() {
        var ring = RingBuffer<Int>()
        #expect(ring.capacity == 0)
        #expect(ring.count == 0)
        #expect(ring.first == nil)
        #expect(ring.popFirst() == nil)
        ring.shrink(to: 0)
        ring.removeAll { _ in true }
        ring.append(1)
        #expect(ring.capacity == 16)
        #expect(ring.first == 1)
        #expect(ring.count == 1)
    }

    @Test(
        "Rounds the capacity up to a power of two",
        arguments: [
            (1, 2), (2, 2), (3, 4), (64, 64), (65, 128),
        ])
    func rounding(asked: Int, capacity: Int) {
        let ring = RingBuffer<Int>(capacity: asked)
        let actual = ring.capacity
        #expect(actual == capacity)
    }

    @Test("Gives elements back in the order of their arrival, wherever the first one lies")
    func order() {
        for head in 0..<8 {
            for count in 0...20 {
                var ring = ring(0..<count, head: head)
                for offset in 0..<count { #expect(ring[offset] == offset) }
                #expect(ring.first == (count == 0 ? nil : 0))
                let all = drain(&ring)
                #expect(all == Array(0..<count), "head \(head)")
                #expect(ring.count == 0)
            }
        }
    }

    @Test("Behaves as an array does under any sequence of operations")
    func randomOperations() {
        var seed = UInt64.random(in: 1...UInt64.max)
        let first = seed
        func random(_ bound: UInt64) -> UInt64 {
            seed ^= seed << 13
            seed ^= seed >> 7
            seed ^= seed << 17
            return seed % bound
        }
        var ring = RingBuffer<Int>()
        var model: [Int] = []
        for step in 0..<20_000 {
            switch random(10) {
            case 0...4:
                ring.append(step)
                model.append(step)
            case 5...7:
                let popped = ring.popFirst()
                #expect(popped == (model.isEmpty ? nil : model.removeFirst()), "seed \(first)")
            case 8 where !model.isEmpty:
                let offset = Int(random(UInt64(model.count)))
                ring[offset] = -step
                model[offset] = -step
            default:
                let divisor = Int(random(5)) + 2
                ring.removeAll { $0 % divisor == 0 }
                model.removeAll { $0 % divisor == 0 }
                ring.shrink(to: 16)
            }
            let (count, head) = (ring.count, ring.first)
            #expect(count == model.count && head == model.first, "seed \(first), step \(step)")
        }
        let rest = drain(&ring)
        #expect(rest == model, "seed \(first)")
    }

    @Test("Removes by a condition and keeps the order of the rest, also in a full ring")
    func removing() {
        for head in 0..<8 {
            var ring = ring(0..<8, head: head)
            let capacity = ring.capacity
            ring.removeAll { $0 % 3 == 0 }
            #expect(ring.capacity == capacity)
            let all = drain(&ring)
            #expect(all == [1, 2, 4, 5, 7])
        }
    }

    @Test("Shrinks only when it is empty and larger")
    func shrinking() {
        var ring = RingBuffer<Int>()
        for number in 0..<1_000 { ring.append(number) }
        ring.shrink(to: 16)
        #expect(ring.capacity == 1_024)
        _ = drain(&ring)
        ring.shrink(to: 2_048)
        #expect(ring.capacity == 1_024)
        ring.shrink(to: 16)
        #expect(ring.capacity == 16)
        ring.shrink(to: 0)
        #expect(ring.capacity == 0)
        ring.append(1)
        #expect(ring.popFirst() == 1)
    }

    @Test("Releases what is taken out at once, and the rest with the ring")
    func lifetimes() {
        final class Counted {
            let onEnd: () -> Void
            init(_ onEnd: @escaping () -> Void) { self.onEnd = onEnd }
            deinit { onEnd() }
        }
        var ended = 0
        do {
            var ring = RingBuffer<Counted>(capacity: 4)
            for _ in 0..<3 { ring.append(Counted { ended += 1 }) }
            _ = ring.popFirst()
            #expect(ended == 1)
            ring[0] = Counted { ended += 10 }
            #expect(ended == 2)
            // Grows and moves its elements without ending one.
            for _ in 0..<20 { ring.append(Counted { ended += 1 }) }
            #expect(ended == 2)
            var isFirst = true
            ring.removeAll { _ in
                defer { isFirst = false }
                return isFirst
            }
            #expect(ended == 12)
        }
        #expect(ended == 12 + 21)
    }
}
