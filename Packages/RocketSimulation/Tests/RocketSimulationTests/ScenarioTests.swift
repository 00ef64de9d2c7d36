import RocketSimulation
import RocketSimulationScenarios
import Testing

@Suite struct ScenarioTests {
    /// Runs a seed twice, and returns the outcome.
    private func run(_ scenario: Scenario, seed: UInt64) -> Scenario.Outcome {
        let outcome = scenario.run(seed: seed)
        #expect(outcome.failure == nil)
        #expect(scenario.run(seed: seed).traceHash == outcome.traceHash)
        return outcome
    }

    @Test(
        "Calls are right while everything goes wrong, and succeed when it is over",
        arguments: 1...8)
    func rpc(seed: UInt64) {
        _ = run(.rpc, seed: seed)
    }

    @Test("The same over TLS", arguments: 1...4)
    func rpcTLS(seed: UInt64) {
        let outcome = run(.rpcTLS, seed: seed)
        #expect(outcome.statistics.succeeded > 20)
    }

    @Test("No call fails over TLS because servers are drained and started again", arguments: 1...2)
    func restartTLS(seed: UInt64) {
        let outcome = run(.restartTLS, seed: seed)
        #expect(outcome.statistics.succeeded == outcome.statistics.calls)
        #expect(outcome.statistics.counts["replies", default: 0] > 100)
    }

    @Test("No call fails because servers are drained and started again", arguments: 1...4)
    func restart(seed: UInt64) {
        let outcome = run(.restart, seed: seed)
        #expect(outcome.statistics.faults["drain", default: 0] > 0)
        #expect(outcome.statistics.succeeded == outcome.statistics.calls)
        #expect(outcome.statistics.counts["replies", default: 0] > 100)
    }

    @Test(
        "Messages of streams are neither lost nor repeated nor mixed up while everything goes wrong",
        arguments: 1...2)
    func streams(seed: UInt64) {
        let outcome = run(.streams, seed: seed)
        #expect(outcome.statistics.counts["streams", default: 0] > 10)
    }

    @Test("Calls are right over gRPC while everything goes wrong", arguments: 1...2)
    func rpcGRPC(seed: UInt64) {
        let outcome = run(.rpcGRPC, seed: seed)
        #expect(outcome.statistics.succeeded > 20)
    }

    @Test("No call fails over gRPC because servers are drained and started again", arguments: 1...2)
    func restartGRPC(seed: UInt64) {
        let outcome = run(.restartGRPC, seed: seed)
        #expect(outcome.statistics.succeeded == outcome.statistics.calls)
        #expect(outcome.statistics.counts["replies", default: 0] > 100)
    }

    @Test("Messages of streams over gRPC are neither lost nor repeated", arguments: 1...2)
    func streamsGRPC(seed: UInt64) {
        let outcome = run(.streamsGRPC, seed: seed)
        #expect(outcome.statistics.counts["streams", default: 0] > 10)
    }

    @Test("Calls and streams over gRPC and TLS are right, too", arguments: 1...2)
    func overGRPCAndTLS(seed: UInt64) {
        #expect(run(.rpcGRPCTLS, seed: seed).statistics.succeeded > 20)
        let restarts = run(.restartGRPCTLS, seed: seed).statistics
        #expect(restarts.succeeded == restarts.calls)
        let streams = run(.streamsGRPCTLS, seed: seed).statistics
        #expect(streams.counts["streams", default: 0] > 10)
    }

    @Test("An overload is refused, holds no limit up, and is over when it ends", arguments: 1...3)
    func overload(seed: UInt64) {
        let outcome = run(.overload, seed: seed)
        #expect(outcome.statistics.succeeded < outcome.statistics.calls / 2)
    }

    @Test("Peers that do not read, stop in a frame or end their side harm nobody", arguments: 1...5)
    func peers(seed: UInt64) {
        let outcome = run(.peers, seed: seed)
        #expect(outcome.statistics.succeeded == outcome.statistics.calls)
    }
}
