import RocketRPC
import RocketSimulation
import RocketSimulationScenarios
import RocketSystem
import SwiftProtobuf
import Testing

@Suite struct WorldTests {
    /// Runs a client that makes `count` calls to a server, and returns the world after its end.
    private func calls(
        seed: UInt64, count: UInt8 = 20,
        _ between: (World, Host, Host) throws -> Void = { _, _, _ in }
    ) throws -> (world: World, answers: [UInt8]) {
        let world = World(seed: seed)
        let server = try world.host("server") { host in
            try host.serve([EchoService(host: host)], port: 80)
        }
        let client = try world.host("client")
        let answers = Locked<[UInt8]>([])
        client.run {
            let channel = try client.channel(to: server, port: 80)
            for number in 0..<count {
                let method = [EchoService.echo, EchoService.now, EchoService.later][Int(number % 3)]
                let answer = try await channel.call(
                    method, Payload.with { $0.value.append(number) })
                answers.withLock { $0.append(contentsOf: answer.value) }
            }
        }
        try between(world, client, server)
        try world.run(for: .seconds(10))
        try world.close()
        return (world, answers.withLock { $0 })
    }

    @Test("calls over a simulated network are answered, and nothing is left after close")
    func answersCalls() throws {
        let (world, answers) = try calls(seed: 1)
        #expect(answers == Array(UInt8(0)..<20))
        #expect(world.statistics.calls == 20)
        #expect(world.statistics.succeeded == 20)
    }

    @Test("the same seed gives the same trace, another seed another one", arguments: 1...5)
    func isDeterministic(seed: UInt64) throws {
        let first = try calls(seed: seed).world.traceHash
        #expect(try calls(seed: seed).world.traceHash == first)
        #expect(try calls(seed: seed + 1000).world.traceHash != first)
    }

    @Test(
        "calls are right while everything goes wrong, and succeed when it is over",
        arguments: Array(1...10) + [116, 326])
    func survivesFaults(seed: UInt64) {
        let outcome = Scenario.rpc.run(seed: seed)
        #expect(outcome.failure == nil)
        #expect(Scenario.rpc.run(seed: seed).traceHash == outcome.traceHash)
    }
}
