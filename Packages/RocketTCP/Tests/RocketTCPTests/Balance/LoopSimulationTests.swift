import Testing

@testable import RocketTCP

/// How a server scales with `io_threads` in the model of `LoopSimulation`: docs/decisions/0042.
@Suite struct LoopSimulationTests {
    /// The mean time of a call in a queue of this load with arrivals at random and equal service times
    /// (M/D/1), in service times: what each loop would have if all were equally busy.
    private func ideal(_ utilization: Double) -> Double {
        1 + utilization / (2 * (1 - utilization))
    }

    @Test("Where all connections have the same rate, nothing moves", arguments: [1, 4, 8])
    func equalRates(loops: Int) {
        var simulation = LoopSimulation(.init(loops: loops, skew: 0))
        let outcome = simulation.run(seconds: 30)
        #expect(outcome.moves == 0 && outcome.served > 0.99)
        #expect(abs(outcome.mean / ideal(0.7) - 1) < 0.1)
    }

    @Test(
        "With few connections that make most calls, moves bring each loop within a tenth of the ideal",
        arguments: [2, 4, 8, 16])
    func skewedRates(loops: Int) {
        var simulation = LoopSimulation(.init(loops: loops))
        let outcome = simulation.run(seconds: 40)
        #expect(outcome.served > 0.99 && outcome.mean < 1.1 * ideal(0.7))
        #expect(outcome.moves <= 2 * loops && outcome.lateMoves == 0)
    }

    @Test("Without moves a loop gets more calls than it can serve, while others have time left")
    func withoutMoves() {
        var simulation = LoopSimulation(.init(loops: 4, moves: false))
        let outcome = simulation.run(seconds: 40)
        #expect(outcome.served < 0.97 && outcome.busiest > 0.99 && outcome.mean > 100)
    }

    @Test("Moves end at each load", arguments: [0.3, 0.5, 0.6, 0.8, 0.9])
    func ends(utilization: Double) {
        var simulation = LoopSimulation(.init(loops: 8, utilization: utilization))
        let outcome = simulation.run(seconds: 40)
        #expect(outcome.served > 0.98 && outcome.lateMoves == 0)
    }

    @Test("A connection that needs a loop for itself gets one, and the others the rest")
    func largeConnection() {
        var simulation = LoopSimulation(
            .init(loops: 4, connectionsPerLoop: 4, utilization: 0.6, largest: 0.95))
        let outcome = simulation.run(seconds: 40)
        #expect(outcome.served > 0.99 && outcome.lateMoves == 0)
        #expect(outcome.busiest < 0.96 && outcome.mean < 1.2 * ideal(0.6))
    }
}
