import AppScenarios
import RocketSimulation
import Testing

@Suite struct ChatScenarioTests {
    /// 21: two clients that sent files waited for each other.
    @Test(
        "The chat keeps its rules while everything goes wrong, and loses nothing when it is over",
        arguments: [1, 21] as [UInt64])
    func survivesFaults(seed: UInt64) {
        let outcome = Scenario.chat.run(seed: seed)
        #expect(outcome.failure == nil)
        #expect(Scenario.chat.run(seed: seed).traceHash == outcome.traceHash)
        #expect(outcome.statistics.counts["deliveries", default: 0] > 1000)
    }
}
