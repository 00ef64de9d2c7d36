import RocketRPC
import RocketSystem
import Testing

@testable import RocketAdmin

struct RateHistoryTests {
    @Test("rates are differences of samples over their time")
    func rates() throws {
        var history = RateHistory()
        #expect(history.recent == nil)
        history.add(Samples.snapshot(age: .seconds(10)), processorTime: .seconds(1))
        #expect(history.recent == nil)
        history.add(
            Samples.snapshot(age: .seconds(12), calls: 100, failures: 20),
            processorTime: .seconds(4))
        let recent = try #require(history.recent)
        #expect(recent.callsPerSecond == 60)
        #expect(recent.failuresPerSecond == 10)
        #expect(recent.processors == 1.5)
        #expect(recent.latency.count == 120)
        #expect(recent.methods["shop.v1.Order.make"]?.callsPerSecond == 60)
        #expect(recent.methods["rocket.Health.check"]?.callsPerSecond == 0)
        #expect(abs((recent.loopBusy["rocket-main"] ?? 0) - 0.1) < 1e-6)
        #expect(history.seconds.map(\.callsPerSecond) == [60])
    }

    @Test("samples that are near to one another are one, and a minute of them is kept")
    func capacity() {
        var history = RateHistory()
        for tick in 0..<1000 {
            history.add(Samples.snapshot(age: .milliseconds(100 * tick)), processorTime: .zero)
        }
        #expect(history.samples.count == RateHistory.capacity)
        #expect(history.seconds.allSatisfy { $0.time >= RateHistory.spacing })
        let detailed = history.samples.count { !$0.methods.isEmpty }
        #expect((2...13).contains(detailed))
    }

    @Test("a counter that falls counts as nothing")
    func restart() {
        var history = RateHistory()
        history.add(Samples.snapshot(age: .seconds(10), calls: 50), processorTime: .zero)
        history.add(Samples.snapshot(age: .seconds(11), calls: 5), processorTime: .zero)
        #expect(history.seconds.map(\.callsPerSecond) == [0])
    }
}
