import RocketSimulation
import RocketSimulationScenarios
import Testing

/// The short ones; `make simulate` runs the others, and each seed twice.
@Suite("Balancing of channels in worlds") struct BalancingTests {
    @Test(
        "The limits of each scenario hold",
        arguments: ["one-failing", "flapping-list", "zone-lost", "budget-exhausted"])
    func limits(name: String) throws {
        let one = try #require(BalancingCase.all.first { $0.name == name })
        #expect(one.scenario.run(seed: 1).failure == nil)
    }
}
