import Testing

@testable import RocketOTLP

struct SpanQueueTests {
    private func span(_ number: Int) -> OTLPSpan {
        var span = OTLPSpan()
        span.name = "\(number)"
        return span
    }

    @Test("Spans leave in their order, by batches")
    func order() {
        var queue = SpanQueue(limit: 10)
        for number in 0..<5 { queue.add(span(number), bytes: 100) }
        #expect(!queue.isFull(batch: 6))
        #expect(queue.isFull(batch: 5))
        #expect(queue.take(upTo: 3).map(\.name) == ["0", "1", "2"])
        #expect(queue.bytes == 200)
        #expect(queue.take(upTo: 3).map(\.name) == ["3", "4"])
        #expect(queue.take(upTo: 3).isEmpty)
        #expect((queue.count, queue.bytes) == (0, 0))
    }

    @Test("At its limit the newest spans are dropped and counted")
    func bound() {
        var queue = SpanQueue(limit: 3)
        for number in 0..<5 { queue.add(span(number), bytes: 100) }
        #expect(queue.count == 3)
        #expect(queue.dropped == 2)
        #expect(queue.take(upTo: 9).map(\.name) == ["0", "1", "2"])
        queue.add(span(5), bytes: 100)
        #expect(queue.removeAll() == 1)
        #expect(queue.bytes == 0)
    }

    @Test("The bytes are bounded, too")
    func bytes() {
        var queue = SpanQueue(limit: 100)
        for number in 0..<100 { queue.add(span(number), bytes: 60 << 10) }
        #expect(queue.count == 1)
        #expect(queue.dropped == 99)
        var large = SpanQueue(limit: 100_000)
        for number in 0..<100 { large.add(span(number), bytes: 60 << 10) }
        #expect(large.count == 100)
        #expect(large.isFull(batch: 1000))
        #expect(large.take(upTo: 1000).count == 17)
        // One span alone may have more.
        var single = SpanQueue(limit: 100_000)
        single.add(span(0), bytes: 2 << 20)
        single.add(span(1), bytes: 1)
        #expect(single.take(upTo: 10).map(\.name) == ["0"])
    }
}
