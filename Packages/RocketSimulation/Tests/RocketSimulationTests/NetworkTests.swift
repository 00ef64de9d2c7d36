import FoundationEssentials
import RocketBase
import RocketRPC
import RocketSimulation
import RocketSimulationScenarios
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

/// Limits of links and sockets, each over the production code.
@Suite struct NetworkTests {
    private final class Outcome: Sendable {
        private let state = Locked<(error: RPCError?, at: Duration?)>((nil, nil))
        var error: RPCError? { state.withLock { $0.error } }
        var at: Duration? { state.withLock { $0.at } }
        func set(_ error: RPCError?, at time: Duration) { state.withLock { $0 = (error, time) } }
    }

    /// Makes one call with so many bytes, which come back, and returns how it ended.
    private func call(
        seed: UInt64, byteCount: Int, _ configure: (World, Host, Host) throws -> Void
    ) throws -> Outcome {
        let world = World(seed: seed)
        let server = try world.host("server") { host in
            try host.serve([EchoService(host: host)], port: 80)
        }
        let client = try world.host("client")
        try configure(world, server, client)
        let outcome = Outcome()
        client.run {
            let channel = try client.channel(to: server, port: 80)
            do {
                let bytes = Data((0..<byteCount).map { UInt8(truncatingIfNeeded: $0) })
                let reply = try await channel.call(
                    EchoService.echo, Payload.with { $0.value = bytes }, timeout: .seconds(30))
                if reply.value != bytes { world.violated(.reply, "other bytes") }
                outcome.set(nil, at: world.elapsed)
            } catch let error as RPCError { outcome.set(error, at: world.elapsed) }
        }
        try world.run(for: .seconds(60))
        try world.close()
        return outcome
    }

    @Test("Bytes survive any split and the smallest buffers", arguments: 1...5)
    func smallestBuffers(seed: UInt64) throws {
        let outcome = try call(seed: seed, byteCount: 2000) { world, server, client in
            server.socketLimits.receiveBufferBytes = 7
            client.socketLimits.sendBufferBytes = 3
            var conditions = LinkConditions()
            conditions.segmentBytes = 1
            conditions.shortCalls = 0.5
            world.link(server, client, conditions)
        }
        #expect(outcome.at != nil && outcome.error == nil)
    }

    @Test("A link carries no more bytes a second than it can")
    func bandwidth() throws {
        let outcome = try call(seed: 1, byteCount: 100_000) { world, server, client in
            var conditions = LinkConditions()
            conditions.bytesPerSecond = 50_000
            world.link(server, client, conditions)
        }
        // 100,000 bytes there, and 100,000 back.
        #expect(try #require(outcome.at) > .seconds(4))
        #expect(outcome.error == nil)
    }

    @Test("Without a descriptor a channel can't connect, and says so")
    func noDescriptor() throws {
        let outcome = try call(seed: 1, byteCount: 1) { _, _, client in
            client.socketLimits.openSockets = 0
        }
        #expect(outcome.error?.code == .failedConnect)
        #expect(outcome.error?.description.contains("EMFILE") == true)
    }

    @Test("A host that is not there is unreachable, a port without a listener refuses")
    func refused() throws {
        let world = World(seed: 1)
        let host = try world.host("host")
        let (refused, unreachable) = (Outcome(), Outcome())
        for (outcome, address) in [
            (refused, host.address(port: 81)),
            (unreachable, .init(.ipv4(bits: 0x0A00_00FF, port: 80))),
        ] {
            host.run {
                let channel = try host.channel(to: [address])
                do { _ = try await channel.call(EchoService.echo, Payload()) } catch {
                    outcome.set(error as? RPCError, at: world.elapsed)
                }
            }
        }
        try world.run(for: .seconds(5))
        #expect(refused.error?.description.contains("ECONNREFUSED") == true)
        #expect(unreachable.error?.description.contains("EHOSTUNREACH") == true)
        try world.close()
    }

    @Test("A second server on a port fails, and the first one serves on")
    func portInUse() throws {
        let world = World(seed: 1)
        let host = try world.host("host") { host in
            try host.serve([EchoService(host: host)], port: 80)
        }
        try world.run(for: .seconds(1))
        try host.serve([EchoService(host: host)], port: 80)
        let failure = #expect(throws: SimulationFailure.self) { try world.run(for: .seconds(1)) }
        #expect(failure?.violation.rule == .task)
        #expect(failure?.violation.text.contains("EADDRINUSE") == true)
    }

    @Test(
        "A world that has ended leaves no host in memory, whatever happened to them",
        arguments: 1...3)
    func memory(seed: UInt64) throws {
        weak var server: Host?
        weak var client: Host?
        func run() throws {
            let world = World(seed: seed)
            let made = try world.host("server") { host in
                try host.serve([EchoService(host: host)], port: 80)
            }
            let calling = try world.host("client")
            (server, client) = (made, calling)
            calling.run {
                let channel = try calling.channel(to: made, port: 80)
                for _ in 0..<5 {
                    _ = try? await channel.call(
                        EchoService.later, Payload(), options: .waitForReady)
                    try await calling.sleep(for: .milliseconds(100))
                }
            }
            try world.run(for: .milliseconds(150))
            made.kill()
            try made.start()
            try world.run(for: .milliseconds(150))
            made.losePower()
            try made.start()
            try world.run(for: .seconds(5))
            try world.close()
        }
        try run()
        #expect(server == nil)
        #expect(client == nil)
    }
}
