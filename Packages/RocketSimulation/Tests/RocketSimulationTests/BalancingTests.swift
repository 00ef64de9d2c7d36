import RocketBalancing
import RocketSimulation
import RocketSimulationScenarios
import Testing

@Suite("Balancing of channels in worlds") struct BalancingTests {
    /// A thousand clients take as long as all others together: `make simulate` runs them.
    private static let cases = BalancingCase.all.filter { $0.name != "thousand-clients" }

    @Test(
        "The limits of each scenario hold, and a seed goes the same way twice",
        arguments: cases.map(\.name))
    func limits(name: String) throws {
        let one = try #require(Self.cases.first { $0.name == name })
        let outcome = one.scenario.run(seed: 1)
        #expect(outcome.failure == nil)
        #expect(one.scenario.run(seed: 1).traceHash == outcome.traceHash)
    }

    @Test("Without limits on calls in flight, a storm of repeated calls does not end")
    func storm() throws {
        let one = try #require(
            BalancingCase.unprotected.first { $0.name == "retry-storm-unprotected" })
        let figures = try one.measure(seed: 1, policy: .p2cPeakEWMA)
        #expect(figures.values["recovered", default: 1] < 0.5)
    }

    @Test("Round robin shows what p2c prevents: a slow server of ten")
    func roundRobin() throws {
        let one = try #require(BalancingCase.all.first { $0.name == "one-slow" })
        let figures = try one.measure(seed: 1, policy: .roundRobin)
        #expect(figures.values["p99 ratio", default: 0] > 3)
    }
}
