import Foundation
import RocketSystem
import Testing

@testable import RocketBalancing

@Suite("Peak EWMA")
struct PeakEWMATests {
    private let decay = ExponentialDecay(timeConstant: .seconds(10))

    private func observed(_ milliseconds: Double, failed: Bool = false, at: Int = 0) -> PeakEWMA {
        var latency = PeakEWMA()
        latency.observe(
            latency: milliseconds * 1e6, failed: failed, at: .seconds(at), decay: decay)
        return latency
    }

    private func cost(_ latency: PeakEWMA, inFlight: Int32 = 0, weight: Double = 1, at: Int = 0)
        -> Double
    {
        latency.cost(inFlight: inFlight, weight: weight, at: .seconds(at), decay: decay) / 1e6
    }

    @Test("The decay is at most 6.2 % above e^(-t/τ), never grows, and ends at 0")
    func exponential() {
        var last = 1.0
        for step in 0..<60_000 {
            let factor = decay.factor(after: UInt64(step) * 1_000_000)
            let exact = exp(-Double(step) / 10_000)
            #expect(factor >= exact * 0.999_999 && factor <= exact * 1.062)
            #expect(factor <= last)
            last = factor
        }
        #expect(decay.factor(after: 0) == 1)
        #expect(decay.factor(after: .max) == 0)
        #expect(decay.factor(from: 5, to: 4) == 1)
    }

    @Test("A higher latency counts at once, a lower one slowly")
    func peak() {
        var latency = observed(10)
        latency.observe(latency: 100e6, failed: false, at: .seconds(0), decay: decay)
        #expect(cost(latency) == 100)
        latency.observe(latency: 10e6, failed: false, at: .seconds(1), decay: decay)
        #expect((90.5...94).contains(cost(latency, at: 1)))
    }

    @Test("Without calls the latency decays, so that the endpoint is tried again")
    func idle() {
        #expect((36...40).contains(cost(observed(100), at: 10)))
    }

    @Test("Calls in flight multiply the cost, the weight divides it")
    func inFlight() {
        #expect(cost(observed(10), inFlight: 3) == 40)
        #expect(cost(observed(10), inFlight: 3, weight: 2) == 20)
    }

    @Test("An unknown endpoint gets one call at once, and no other until that has ended")
    func unknown() {
        #expect(cost(PeakEWMA()) == 0)
        #expect(cost(PeakEWMA(), inFlight: 1) > cost(observed(60_000), inFlight: 1_000))
        #expect(cost(PeakEWMA(), inFlight: 2) > cost(PeakEWMA(), inFlight: 1))
    }

    @Test("Failures raise the cost up to a hundredfold; it falls again while there are no calls")
    func failures() {
        var latency = observed(10, failed: true)
        #expect((10.5...11).contains(cost(latency)))
        for _ in 0..<22 {
            latency.observe(latency: 10e6, failed: true, at: .seconds(0), decay: decay)
        }
        #expect((40...50).contains(cost(latency)))
        for _ in 0..<200 {
            latency.observe(latency: 10e6, failed: true, at: .seconds(0), decay: decay)
        }
        #expect((990...1_001).contains(cost(latency)))
        #expect(cost(latency, at: 10) < 8)
    }

    @Test("The quantile of recent latencies is at most an eighth too high, and follows")
    func quantile() throws {
        var latencies = RecentLatencies(quantile: 0.95, minimumSamples: 64)
        for number in 1...63 { latencies.record(nanoseconds: UInt64(number) * 1_000_000) }
        #expect(latencies.quantile == nil)
        for number in 64...1_000 { latencies.record(nanoseconds: UInt64(number) * 1_000_000) }
        let first = try #require(latencies.quantile)
        #expect(first >= .milliseconds(890) && first <= .milliseconds(1_080))
        for _ in 0..<20_000 { latencies.record(nanoseconds: 3_000_000) }
        #expect(try #require(latencies.quantile) <= .microseconds(3_400))
        latencies.record(nanoseconds: .max)
        latencies.record(nanoseconds: 0)
    }
}
