import RocketBalancing
import RocketSystem
import Testing

@Suite("Balancing in a queue model")
struct BalancingSimulationTests {
    /// Ten servers, of which the first are ten times slower, or fail within a millisecond.
    private func simulation(
        _ policy: BalancingPolicy, slow: Int = 0, failing: Int = 0, chance: Double = 1
    ) -> ClientSimulation {
        var servers = Array(repeating: ClientSimulation.Server(), count: 10)
        for index in 0..<slow { servers[index].meanService = .milliseconds(100) }
        for index in 0..<failing { servers[index].failureChance = chance }
        var simulation = ClientSimulation(servers: servers)
        simulation.configuration.policy = policy
        return simulation
    }

    /// The 99th percentile with one slow server, of that without; the mean of three seeds.
    private func ratio(_ policy: BalancingPolicy, rate: Double) -> Double {
        var none = simulation(policy)
        var one = simulation(policy, slow: 1)
        none.rate = rate
        one.rate = rate
        var sums = (none: 0.0, one: 0.0)
        for seed: UInt64 in 1...3 {
            sums.none += none.run(seed: seed).quantile(0.99)
            sums.one += one.run(seed: seed).quantile(0.99)
        }
        return sums.one / sums.none
    }

    @Test("One slow server of ten hardly shows with peak EWMA", arguments: [300.0, 500])
    func oneSlow(rate: Double) {
        #expect(ratio(.p2cPeakEWMA, rate: rate) <= 1.3)
        #expect(ratio(.leastInFlight, rate: rate) >= 2.5)
        #expect(ratio(.roundRobin, rate: rate) >= 20)
    }

    @Test("A server that fails fast gets less than 2 % of calls after five seconds")
    func oneFailing() {
        for seed: UInt64 in 1...3 {
            var simulation = simulation(.p2cPeakEWMA, failing: 1)
            #expect(simulation.run(seed: seed).share(of: 0) < 0.005)
            // The cost alone suffices as well.
            simulation.configuration.outliers = nil
            #expect(simulation.run(seed: seed).share(of: 0) < 0.02)
        }
        var other = simulation(.leastInFlight, failing: 1)
        other.configuration.outliers = nil
        #expect(other.run(seed: 1).share(of: 0) > 0.1)
    }

    @Test("So does one that fails half of its calls")
    func halfFailing() {
        let simulation = simulation(.p2cPeakEWMA, failing: 1, chance: 0.5)
        for seed: UInt64 in 1...3 { #expect(simulation.run(seed: seed).share(of: 0) < 0.02) }
    }

    @Test("Of three that fail fast one may be ejected; cost keeps calls from the others")
    func threeFailing() {
        let result = simulation(.p2cPeakEWMA, failing: 3).run(seed: 1)
        #expect((0..<3).allSatisfy { result.share(of: $0) < 0.03 })
        let other = simulation(.leastInFlight, failing: 3).run(seed: 1)
        #expect(other.share(of: 0) + other.share(of: 1) + other.share(of: 2) > 0.25)
    }

    @Test("Retries hide a server that fails fast")
    func retries() {
        var simulation = simulation(.p2cPeakEWMA, failing: 1)
        simulation.maxAttempts = 3
        #expect(simulation.run(seed: 1).failed == 0)
    }

    @Test("Retries add at most a fifth while all servers fail", arguments: [100.0, 500, 1_000])
    func amplification(rate: Double) {
        var simulation = simulation(.p2cPeakEWMA, failing: 10)
        simulation.maxAttempts = 4
        simulation.rate = rate
        let result = simulation.run(seed: 1)
        let most = rate >= 500 ? 1.2 : 1.21
        #expect(Double(result.attempts) / Double(result.calls) <= most)
        #expect(Double(result.attempts) / Double(result.calls) >= 1.15)
    }

    @Test("At a cold start all servers get calls, and none is overrun")
    func coldStart() {
        var simulation = simulation(.p2cPeakEWMA)
        simulation.warmUp = .zero
        simulation.duration = .seconds(2)
        let result = simulation.run(seed: 1)
        #expect(result.shares.allSatisfy { $0 > 20 && $0 < 250 })
    }

    @Test("Equal seeds give equal results")
    func deterministic() {
        let simulation = simulation(.p2cPeakEWMA, slow: 1, failing: 2, chance: 0.3)
        #expect(simulation.run(seed: 7).latencies == simulation.run(seed: 7).latencies)
        #expect(simulation.run(seed: 7).latencies != simulation.run(seed: 8).latencies)
    }
}
