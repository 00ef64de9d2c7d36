import AppScenarios
import RocketSimulation
import RocketSystem
import Testing

@Suite("Scenario.orders") struct OrdersScenarioTests {
    /// A world that a scenario has had, if it was not freed.
    private final class LastWorld: Sendable {
        private struct State { weak var world: World? }
        private let state = Locked(State())

        var isFreed: Bool { state.withLock { $0.world == nil } }
        func set(_ world: World) { state.withLock { $0.world = world } }
    }

    @Test(
        "Acknowledged orders are on disk exactly once while everything goes wrong",
        arguments: 1...5 as ClosedRange<UInt64>)
    func survivesFaults(seed: UInt64) {
        let last = LastWorld()
        let orders = Scenario(name: "orders") { world, faults in
            last.set(world)
            try Scenario.orders.body(world, faults)
        }
        let outcome = orders.run(seed: seed)
        #expect(outcome.failure == nil)
        #expect(outcome.statistics.succeeded > 0)
        #expect(last.isFreed)
        #expect(orders.run(seed: seed).traceHash == outcome.traceHash)
    }
}
