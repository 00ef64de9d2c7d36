import RocketBalancing
import RocketSystem
import Testing

@Suite("Balancing in a queue model")
struct BalancingSimulationTests {
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

    @Test("explore")
    func explore() {
        for rate in [300.0, 500, 700] {
        for policy in [BalancingPolicy.p2cPeakEWMA, .leastInFlight, .roundRobin] {
            for seed: UInt64 in 1...2 {
                var a = simulation(policy); a.rate = rate
                var b = simulation(policy, slow: 1); b.rate = rate
                let none = a.run(seed: seed), one = b.run(seed: seed)
                print("rate", rate, policy, seed, "none p50", none.quantile(0.5), "p99", none.quantile(0.99), "one slow p99", one.quantile(0.99), "ratio", one.quantile(0.99)/none.quantile(0.99), "share", one.share(of: 0))
            }
        }}
        for outliers in [true, false] {
        for (failing, chance) in [(1, 1.0), (1, 0.5), (1, 0.2), (2, 1.0), (3, 1.0), (3, 0.5)] {
            for policy in [BalancingPolicy.p2cPeakEWMA, .leastInFlight, .roundRobin] {
                var s = simulation(policy, failing: failing, chance: chance)
                if !outliers { s.configuration.outliers = nil }
                let r = s.run(seed: 1)
                print("outliers", outliers, "failing", failing, chance, policy, "shares", (0..<failing).map { r.share(of: $0) }, "failed", Double(r.failed) / Double(r.calls), "p99", r.quantile(0.99))
            }
        }}
    }
}
