import AppScenarios
import RocketSimulation
import Testing

@Suite("Scenario.orders") struct OrdersScenarioTests {
    @Test(
        "Acknowledged orders are on disk exactly once while everything goes wrong",
        arguments: 1...5 as ClosedRange<UInt64>)
    func survivesFaults(seed: UInt64) {
        let outcome = Scenario.orders.run(seed: seed)
        #expect(outcome.failure == nil)
        #expect(outcome.statistics.succeeded > 0)
        #expect(Scenario.orders.run(seed: seed).traceHash == outcome.traceHash)
    }
}
