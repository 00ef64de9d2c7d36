import RocketBase
import RocketRPC
import RocketSimulation
import RocketSimulationScenarios
import RocketSystem
import SwiftProtobuf
import Testing

/// What a user's code does wrong ends in a failure that says so: it hangs no world, and none passes.
@Suite struct MisuseTests {
    private func failure(_ body: () throws -> Void) -> Violation? {
        do { try body() } catch { return (error as? SimulationFailure)?.violation }
        return nil
    }

    @Test("A task that ignores its cancellation is left over, and ends no run of a scenario")
    func ignoresCancellation() {
        let stubborn = Scenario(name: "stubborn") { world, _ in
            let host = try world.host("host")
            host.run { while true { try? await host.sleep(for: .seconds(1)) } }
            try world.run(for: .seconds(5))
            try world.close()
        }
        #expect(stubborn.run(seed: 1).failure?.violation.rule == .leftover)
        let broken = Scenario(name: "broken") { world, _ in
            let host = try world.host("host")
            host.run { while true { try? await host.sleep(for: .seconds(1)) } }
            try world.run(for: .seconds(5))
            host.kill()
            world.violated(.custom, "broken")
            try world.run(for: .seconds(5))
        }
        #expect(broken.run(seed: 1).failure?.violation.text == "broken")
    }

    @Test("Calls that are repeated without a wait are a spinning host")
    func repeatsWithoutWait() {
        let world = World(seed: 1)
        let violation = failure {
            let server = try world.host("server")
            let client = try world.host("client")
            let channel = try client.channel(to: server, port: 80)
            client.run {
                while (try? await channel.call(EchoService.echo, Payload())) == nil {}
            }
            try world.run(for: .seconds(5))
        }
        #expect(violation?.rule == .spinning)
        #expect(violation?.text.contains("client makes call after call") == true)
    }

    @Test("An action that schedules itself without a delay is noticed")
    func schedulesItself() {
        let world = World(seed: 1)
        func again() { world.schedule(after: .zero) { again() } }
        again()
        #expect(failure { try world.run(for: .seconds(1)) }?.rule == .spinning)
    }

    @Test("A scenario fails by its last violation, and if it does not close its world")
    func endsWithoutClose() {
        let last = Scenario(name: "last") { world, _ in
            try world.close()
            world.violated(.custom, "late")
        }
        #expect(last.run(seed: 1).failure?.violation.text == "late")
        let open = Scenario(name: "open") { world, _ in try world.run(for: .seconds(1)) }
        #expect(open.run(seed: 1).failure?.violation.rule == .leftover)
        let other = Scenario(name: "other") { world, _ in
            world.record("step") { "a step" }
            throw DiskError.full
        }
        #expect(other.run(seed: 1).failure?.trace == ["0.000000  a step"])
    }

    @Test("A rule of always holds in a world in which no loop has anything to do")
    func quietRule() {
        let world = World(seed: 1)
        var isBroken = false
        world.always(.custom) { isBroken ? "broken" : nil }
        world.schedule(after: .seconds(1)) { isBroken = true }
        #expect(failure { try world.run(for: .seconds(2)) }?.text == "broken")
    }

    @Test("A call that ends because its task is cancelled fails no world", arguments: 1...5)
    func cancelledCall(seed: UInt64) throws {
        let world = World(seed: seed)
        let server = try world.host("server") { try $0.serve([EchoService(host: $0)], port: 80) }
        let client = try world.host("client")
        client.run {
            let channel = try client.channel(to: server, port: 80)
            while true {
                _ = try await channel.call(EchoService.later, .with { $0.value = .init([200]) })
            }
        }
        try world.run(for: .milliseconds(500 + 30 * Int64(seed)))
        client.drain()
        try world.run(atMost: .seconds(10)) { !client.isRunning }
        try world.close()
    }

    @Test("close while a fault is planned says until when the world must run")
    func closeBeforeFaultsEnd() {
        let world = World(seed: 1)
        let violation = failure {
            let host = try world.host("host")
            world.plan(
                [Fault(kind: .kill, start: .seconds(4), duration: .seconds(1), host: 0, other: 0)],
                for: [host])
            try world.run(for: .seconds(1))
            try world.close()
        }
        #expect(violation?.text.contains("until 5.000000 s") == true)
    }

    @Test("A time-out below zero ends a call at once, which breaks no rule")
    func negativeTimeout() throws {
        let world = World(seed: 1)
        let server = try world.host("server") { try $0.serve([EchoService(host: $0)], port: 80) }
        let client = try world.host("client")
        client.run {
            let channel = try client.channel(to: server, port: 80)
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(
                    EchoService.echo, Payload(), timeout: .milliseconds(-2))
            }
            #expect(error?.code == .callTimeout)
        }
        try world.run(for: .seconds(1))
        try world.close()
        #expect(world.statistics.calls == 1)
    }

    @Test("A channel of a process that has ended fails its calls")
    func staleChannel() throws {
        let world = World(seed: 1)
        let server = try world.host("server") { try $0.serve([EchoService(host: $0)], port: 80) }
        let client = try world.host("client")
        let channel = try client.channel(to: server, port: 80)
        client.kill()
        try client.start()
        client.run {
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(EchoService.echo, Payload())
            }
            #expect(error?.message.contains("a process of client that has ended") == true)
        }
        try world.run(for: .seconds(1))
        try world.close()
    }

    @Test("A boot closure that throws leaves no half process behind")
    func bootThrows() throws {
        let world = World(seed: 1)
        let host = try world.host("host") { host in
            try host.serve([EchoService(host: host)], port: 80)
            if host.starts == 2 { throw DiskError.full }
        }
        host.kill()
        #expect(throws: DiskError.full) { try host.start() }
        #expect(!host.isRunning)
        try host.start()
        #expect(host.isRunning)
        try world.run(for: .seconds(1))
        try world.close()
    }

    @Test("Of faults that overlap, the last one to end starts the host again")
    func overlappingFaults() throws {
        let world = World(seed: 1)
        let host = try world.host("host")
        world.plan(
            [
                Fault(
                    kind: .powerLoss, start: .seconds(1), duration: .seconds(10), host: 0, other: 0),
                Fault(kind: .kill, start: .seconds(2), duration: .seconds(1), host: 0, other: 0),
            ], for: [host])
        try world.run(for: .seconds(10))
        #expect(!host.isRunning)
        try world.run(for: .seconds(2))
        #expect(host.isRunning && host.starts == 2)
        try world.close()
    }
}
