import RocketRPC
import RocketSystem
import Testing

@Suite("Latency histogram")
struct RPCLatencyHistogramTests {
    @Test("An empty histogram has no quantile")
    func empty() {
        #expect(RPCLatencyHistogram().quantile(0.99) == nil)
        #expect(RPCLatencyHistogram().cumulativeCounts(upTo: [.seconds(1)]) == [0])
    }

    @Test(
        "A quantile is at most an eighth too high, and no lower",
        arguments: [
            0, 1, 127, 128, 129, 1023, 1024, 1151, 1152, 5_000, 1_000_000, 999_999_999,
            60_000_000_000, 65_000_000_000_000,
        ])
    func precision(_ nanoseconds: Int64) throws {
        var histogram = RPCLatencyHistogram()
        histogram.record(.nanoseconds(nanoseconds))
        let found = try #require(histogram.quantile(0.99)).wholeNanoseconds
        #expect(found >= nanoseconds)
        #expect(found - nanoseconds <= max(128, nanoseconds / 8))
    }

    @Test("The 0.99 quantile ignores the top percent")
    func topPercent() throws {
        var histogram = RPCLatencyHistogram()
        for _ in 0..<99 { histogram.record(.microseconds(5)) }
        histogram.record(.seconds(1))
        #expect(try #require(histogram.quantile(0.99)) < .microseconds(6))
        #expect(try #require(histogram.quantile(1)) >= .seconds(1))
        #expect(histogram.quantile(.nan) == histogram.quantile(1))
        #expect(histogram.quantile(-3) == histogram.quantile(0.5))
    }

    @Test("Negative and absurd durations are counted, and nothing traps")
    func extremes() {
        var histogram = RPCLatencyHistogram()
        histogram.record(.seconds(-5))
        histogram.record(.seconds(Int64.max))
        #expect(histogram.count == 2)
        #expect(
            histogram.cumulativeCounts(upTo: [.microseconds(1), .seconds(86_400 * 365)])[0] == 1)
    }

    @Test("Two histograms add up, and what came since the first is what was added")
    func sumAndDifference() {
        var (one, other) = (RPCLatencyHistogram(), RPCLatencyHistogram())
        one.record(.microseconds(3))
        other.record(.milliseconds(100))
        var both = one
        both.add(other)
        #expect(both.count == 2)
        #expect(both.sum == .microseconds(100_003))
        let since = both.since(one)
        #expect(since.count == 1 && since.sum == .milliseconds(100))
        #expect(since.quantile(0.5) == other.quantile(0.5))
        #expect(one.since(both).count == 0)
    }

    @Test("Cumulative counts never fall, and the last bound has everything below it")
    func cumulative() {
        var histogram = RPCLatencyHistogram()
        for milliseconds in 1...100 { histogram.record(.milliseconds(milliseconds)) }
        let bounds: [Duration] = [
            .milliseconds(5), .milliseconds(10), .milliseconds(50), .milliseconds(200), .seconds(1),
        ]
        let counts = histogram.cumulativeCounts(upTo: bounds)
        #expect(zip(counts, counts.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(counts[2] >= 44 && counts[2] <= 50)
        #expect(counts[3] == 100 && counts[4] == 100)
    }
}
