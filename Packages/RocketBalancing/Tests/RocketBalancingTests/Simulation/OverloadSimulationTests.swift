import RocketBalancing
import RocketSystem
import Testing

@Suite("Overload in a queue model")
struct OverloadSimulationTests {
    /// Handlers that compute for 1 ms, or that wait for one of `workers` places of a back end.
    private func simulation(_ overload: Double, backEnd workers: Int? = nil) -> ServerSimulation {
        var simulation = ServerSimulation()
        simulation.overload = overload
        if let workers {
            simulation.waitsOnBackEnd = true
            simulation.workers = workers
            simulation.meanService = .milliseconds(20)
            simulation.deadline = .milliseconds(150)
        }
        return simulation
    }

    /// Of the capacity, from one second after the overload's begin to its end.
    private func goodput(_ result: ServerSimulation.Result, _ simulation: ServerSimulation)
        -> Double
    {
        let seconds = simulation.overloadSeconds.dropFirst()
        return seconds.reduce(0) { $0 + result.goodput[$1] } / Double(seconds.count)
            / simulation.capacity
    }

    /// Of the calls that arrived in the fifth second after the overload.
    private func recovered(_ result: ServerSimulation.Result, _ simulation: ServerSimulation)
        -> Double
    {
        let second = simulation.overloadSeconds.upperBound + 4
        return result.goodput[second] / result.arrivals[second]
    }

    @Test("Without control an overload leaves no goodput, and the server does not recover")
    func uncontrolled() {
        for backEnd in [nil, 20] {
            let simulation = simulation(3, backEnd: backEnd)
            let result = simulation.run(seed: 1)
            #expect(goodput(result, simulation) < 0.05)
            #expect(recovered(result, simulation) < 0.05)
        }
    }

    @Test("Queue delay keeps 90 % of the capacity", arguments: [2.0, 3.0], [1, 2, 3] as [UInt64])
    func queueDelay(overload: Double, seed: UInt64) {
        var simulation = simulation(overload)
        simulation.controls.queueDelay = true
        let result = simulation.run(seed: seed)
        #expect(goodput(result, simulation) >= 0.9)
        #expect(recovered(result, simulation) >= 0.95)
        #expect(result.latencies[result.latencies.count * 99 / 100] <= 60)
    }

    @Test("Below its capacity a server refuses few calls after an overload has begun and ended")
    func noLastingRefusal() {
        var simulation = simulation(0.95)
        simulation.controls.queueDelay = true
        let result = simulation.run(seed: 1)
        #expect(result.share(of: .standard) >= 0.94)
        simulation.overload = 3
        simulation.baseLoad = 0.8
        let after = simulation.run(seed: 1)
        let seconds = 18..<25
        let arrived = seconds.reduce(0) { $0 + after.arrivals[$1] }
        #expect(seconds.reduce(0) { $0 + after.goodput[$1] } / arrived >= 0.98)
    }

    @Test("Handlers that take longer than the target are served, too", arguments: [1, 4])
    func slowHandlers(workers: Int) {
        var simulation = simulation(3)
        simulation.controls.queueDelay = true
        simulation.workers = workers
        simulation.meanService = .milliseconds(20)
        simulation.deadline = .milliseconds(500)
        for seed: UInt64 in 1...3 {
            let result = simulation.run(seed: seed)
            #expect(goodput(result, simulation) >= 0.9)
            let seconds = 19..<25
            let arrived = seconds.reduce(0) { $0 + result.arrivals[$1] }
            #expect(seconds.reduce(0) { $0 + result.goodput[$1] } / arrived >= 0.9)
        }
    }

    @Test("Gradient2 keeps 90 % of the capacity of a back end", arguments: [2.0, 3.0], [20, 100])
    func gradient(overload: Double, places: Int) {
        var simulation = simulation(overload, backEnd: places)
        simulation.controls.gradient = true
        for seed: UInt64 in 1...2 {
            let result = simulation.run(seed: seed)
            #expect(goodput(result, simulation) >= 0.9)
            #expect(recovered(result, simulation) >= 0.97)
        }
    }

    @Test("Gradient2 does not take a long overload for normal")
    func longOverload() {
        var simulation = simulation(3, backEnd: 20)
        simulation.controls.gradient = true
        simulation.overloadSeconds = 5..<60
        simulation.seconds = 60
        let result = simulation.run(seed: 1)
        #expect(goodput(result, simulation) >= 0.9)
        #expect(result.limits[58] <= 60)
    }

    @Test("Deadlines that are as short as calls may wait need refusals of their own")
    func shortDeadlines() {
        var simulation = simulation(3)
        simulation.controls.queueDelay = true
        simulation.deadline = .milliseconds(10)
        #expect(goodput(simulation.run(seed: 1), simulation) < 0.4)
        simulation.controls.deadlines = true
        #expect(goodput(simulation.run(seed: 1), simulation) > 0.65)
    }

    @Test("Deadlines alone do not suffice; beside queue delay they take nothing away")
    func deadlines() {
        var simulation = simulation(3)
        simulation.controls.deadlines = true
        let alone = simulation.run(seed: 1)
        #expect(goodput(alone, simulation) < 0.85)
        simulation.controls.queueDelay = true
        #expect(goodput(simulation.run(seed: 1), simulation) >= 0.9)
    }

    @Test("Calls of low priority are refused first", arguments: [nil, 20])
    func priorities(backEnd: Int?) {
        var simulation = simulation(3, backEnd: backEnd)
        simulation.controls.queueDelay = true
        simulation.controls.gradient = true
        // 1.5 times the capacity is sheddable, all of it standard, half of it critical.
        simulation.sheddable = 0.5
        simulation.standard = 1.0 / 3
        let result = simulation.run(seed: 1)
        #expect(result.share(of: .critical) >= 0.95)
        #expect(result.share(of: .sheddable) <= 0.05)
        #expect((0.35...0.6).contains(result.share(of: .standard)))
    }
}
