import RocketBase
import RocketRPC
import RocketSimulation
import RocketSimulationScenarios
import RocketSystem
import SwiftProtobuf
import Testing

@Suite struct FaultTests {
    /// A server, and a client whose call lasts for as many milliseconds.
    private struct Pair {
        let world: World
        let server: Host
        let client: Host
        let channel: RPCChannel
        let outcome = Outcome()

        final class Outcome: Sendable {
            private let state = Locked<(error: RPCError?, at: Duration?)>((nil, nil))
            var error: RPCError? { state.withLock { $0.error } }
            var at: Duration? { state.withLock { $0.at } }
            func set(_ error: RPCError?, at time: Duration) {
                state.withLock { $0 = (error, time) }
            }
        }

        init(seed: UInt64) throws {
            world = World(seed: seed)
            server = try world.host("server") { host in
                try host.serve([EchoService(host: host)], port: 80)
            }
            client = try world.host("client")
            channel = try client.channel(to: server, port: 80)
        }

        /// Makes one call, idempotent or not.
        func call(
            milliseconds: UInt8, timeout: Duration = .seconds(5), isIdempotent: Bool = false
        ) {
            client.run { [self] in
                var options = RPCCallOptions.waitForReady
                options.isIdempotent = isIdempotent
                do {
                    _ = try await channel.call(
                        EchoService.later, Payload.with { $0.value.append(milliseconds) },
                        timeout: timeout, options: options)
                    outcome.set(nil, at: world.elapsed)
                } catch let error as RPCError { outcome.set(error, at: world.elapsed) }
            }
        }
    }

    @Test("A call whose server is killed fails, and is not sent again", arguments: 1...5)
    func killed(seed: UInt64) throws {
        let pair = try Pair(seed: seed)
        pair.call(milliseconds: 200)
        try pair.world.run(for: .milliseconds(100))
        pair.server.kill()
        try pair.world.run(for: .milliseconds(50))
        try pair.server.start()
        try pair.world.run(for: .seconds(5))
        #expect(pair.outcome.error?.code == .failedGetReply)
        try pair.world.close()
    }

    @Test("An idempotent call is sent again to the server that was started again", arguments: 1...5)
    func sentAgain(seed: UInt64) throws {
        let pair = try Pair(seed: seed)
        pair.call(milliseconds: 200, isIdempotent: true)
        try pair.world.run(for: .milliseconds(100))
        pair.server.kill()
        try pair.server.start()
        try pair.world.run(for: .seconds(5))
        #expect(pair.outcome.at != nil && pair.outcome.error == nil)
        try pair.world.close()
    }

    @Test("A call to a server without power ends at its deadline", arguments: 1...5)
    func withoutPower(seed: UInt64) throws {
        let pair = try Pair(seed: seed)
        pair.call(milliseconds: 200, timeout: .seconds(2))
        try pair.world.run(for: .milliseconds(100))
        pair.server.losePower()
        try pair.world.run(for: .seconds(5))
        #expect(pair.outcome.error?.code == .callTimeout)
        #expect(try #require(pair.outcome.at) < .milliseconds(2005))
        try pair.world.close()
    }

    @Test(
        "A call whose server had no power fails when that runs again: what is sent again is reset",
        arguments: 1...5, [true, false])
    func powerReturns(seed: UInt64, isSentBefore: Bool) throws {
        let pair = try Pair(seed: seed)
        pair.call(milliseconds: 1)
        try pair.world.run(for: .seconds(1))
        #expect(pair.outcome.error == nil && pair.outcome.at != nil)
        // The server has the request, and a keepalive probe finds out; or the request is sent again.
        if isSentBefore {
            pair.call(milliseconds: 200, timeout: .seconds(60))
            try pair.world.run(for: .milliseconds(100))
        }
        pair.server.losePower()
        if !isSentBefore { pair.call(milliseconds: 200, timeout: .seconds(60)) }
        try pair.world.run(for: .seconds(2))
        try pair.server.start()
        try pair.world.run(for: .seconds(20))
        #expect(pair.outcome.error?.code == .failedGetReply)
        #expect(try #require(pair.outcome.at) < .seconds(isSentBefore ? 18 : 10))
        try pair.world.close()
    }

    /// Refuses each call.
    private struct Refusing: RPCService {
        static var serviceName: String { EchoService.serviceName }

        func register(in registry: inout RPCServiceRegistry) throws {
            try registry.add(EchoService.chain) { _, _ in
                throw RPCError(.unavailable, "overloaded")
            }
        }
    }

    @Test("A call is not sent again because a call of its handler was refused", arguments: 1...5)
    func refusedNestedCall(seed: UInt64) throws {
        let world = World(seed: seed)
        let last = try world.host("last") { host in
            try host.serve([Refusing()], port: 80, isObserved: false)
        }
        let first = try world.host("first") { host in
            let next = try host.channel(to: last, port: 80)
            try host.serve([EchoService(host: host, next: next)], port: 80)
        }
        let client = try world.host("client")
        client.run {
            let channel = try client.channel(to: first, port: 80)
            let error = await #expect(throws: RPCError.self) {
                try await channel.call(
                    EchoService.chain, Payload(), timeout: .seconds(5), options: .waitForReady)
            }
            #expect(error?.code == .failedGetReply)
            #expect(error?.message.contains("refused by 10.0.0.1:80: overloaded") == true)
        }
        try world.run(for: .seconds(10))
        try world.close()
    }

    @Test("A partition delays a reply, and loses none", arguments: 1...5)
    func partition(seed: UInt64) throws {
        let pair = try Pair(seed: seed)
        pair.world.plan(
            [
                Fault(
                    kind: .partition, start: .milliseconds(100), duration: .seconds(1), host: 0,
                    other: 1)
            ], for: [pair.server, pair.client])
        pair.call(milliseconds: 200)
        try pair.world.run(for: .seconds(5))
        #expect(pair.outcome.error == nil)
        #expect(try #require(pair.outcome.at) > .milliseconds(1100))
        #expect(pair.world.statistics.faults == ["partition": 1])
        try pair.world.close()
    }

    @Test("A failure has its seed, its rule and a trace, and is shrunk to the faults that it needs")
    func shrinks() {
        let fragile = Scenario(name: "fragile") { world, faults in
            let host = try world.host("host")
            var random = world.generator("faults")
            let plan = Fault.plan(20, hosts: 1, within: .seconds(10), using: &random)
            world.always(.custom) {
                world.statistics.faults["powerLoss", default: 0] > 0 ? "the power failed" : nil
            }
            faults.apply(plan, to: world, hosts: [host])
            try world.run(for: .seconds(30))
            host.run { try await host.sleep(for: .seconds(1)) }
            try world.run(for: .seconds(5))
            try world.close()
        }
        let outcome = fragile.shrink(seed: 3)
        #expect(outcome.failure?.violation == Violation(rule: .custom, text: "the power failed"))
        #expect(outcome.failure?.seed == 3)
        #expect(outcome.failure?.trace.contains { $0.contains("fault: powerLoss") } == true)
        #expect(outcome.faults.map(\.kind) == [.powerLoss])
    }

    @Test("A task that does not end when it is cancelled is left over")
    func leftover() throws {
        let world = World(seed: 1)
        let host = try world.host("host")
        let gate = AsyncEvent()
        host.run { await gate.wait() }
        try world.run(for: .seconds(1))
        let failure = #expect(throws: SimulationFailure.self) { try world.close() }
        #expect(failure?.violation.rule == .leftover)
        gate.fire()
    }

    @Test("What should happen and does not is a failure")
    func liveness() throws {
        let world = World(seed: 1)
        let failure = #expect(throws: SimulationFailure.self) {
            try world.run(atMost: .seconds(1)) { false }
        }
        #expect(failure?.violation.rule == .liveness)
        #expect(world.elapsed == .seconds(1))
    }
}
