import Testing

@testable import RocketRPC

@Suite("Latency histogram")
struct LatencyHistogramTests {
    @Test("An empty histogram has no quantile")
    func empty() {
        #expect(LatencyHistogram().quantile(0.99) == nil)
    }

    @Test(
        "A quantile is at most an eighth too high",
        arguments: [0, 1, 7, 8, 9, 15, 16, 100, 1023, 1024, 1_000_000, Int64.max])
    func precision(_ microseconds: Int64) throws {
        var counts = LatencyHistogram()
        counts.add(microseconds)
        let found = try #require(counts.quantile(0.99))
        let value = UInt64(microseconds)
        #expect(found >= value)
        #expect(found - value <= value / 8)
    }

    @Test("The 0.99 quantile ignores the top percent")
    func topPercent() {
        var counts = LatencyHistogram()
        for _ in 0..<99 { counts.add(5) }
        counts.add(1_000_000)
        #expect(counts.quantile(0.99) == 5)
        #expect((counts.quantile(1) ?? 0) >= 1_000_000)
    }

    @Test("The sum of two histograms counts the values of both")
    func sum() {
        var (one, other) = (LatencyHistogram(), LatencyHistogram())
        one.add(3)
        other.add(100_000)
        one.add(other)
        #expect(one.count == 2)
        #expect(one.quantile(0.5) == 3)
        #expect((one.quantile(1) ?? 0) >= 100_000)
    }
}
