import RocketBase
import RocketRPC
import RocketReactor
import RocketSimulationScenarios
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@testable import RocketSimulation

/// Each rule is broken by something that the product does not do.
@Suite struct RulesTests {
    /// A server with the rules of a configuration that it does not have, and a client.
    private struct Pair {
        let world = World(seed: 1)
        let server: Host
        let client: Host
        let drain = Drain()

        final class Drain: Sendable {
            let begin = Locked<(@Sendable () -> Void)?>(nil)
        }

        init(
            countsLate isLate: Bool = false, timedOut isTimedOut: Bool = false,
            _ change: @escaping (inout RPCServerConfiguration) -> Void = { _ in }
        ) throws {
            let drain = drain
            server = try world.host("server") { host in
                var configuration = RPCServerConfiguration(
                    tcp: TCPServerConfiguration(listen: [host.address(port: 80)]))
                change(&configuration)
                let process = try #require(host.process)
                let rules = ServerRules(
                    configuration, on: host, of: process, port: 80,
                    budget: configuration.tcp.budget)
                process.rules.append(rules)
                let server = try host.serve(
                    [EchoService(host: host)], port: 80,
                    interceptors: [
                        Counted(rules: rules, isLate: isLate, isTimedOut: isTimedOut)
                    ])
                rules.server = server
                drain.begin.withLock { $0 = { server.beginDrain() } }
            }
            client = try world.host("client")
        }

        /// Makes so many calls at once, each over a channel of its own or all over one.
        func call(times: Int, over channels: Int = 1) throws {
            for _ in 0..<channels {
                let channel = try client.channel(to: server, port: 80)
                for _ in 0..<times / channels {
                    client.run {
                        _ = try await channel.call(
                            EchoService.later, Payload.with { $0.value.append(50) })
                    }
                }
            }
        }

        func failure(after duration: Duration = .seconds(1)) -> Violation? {
            do {
                try world.run(for: duration)
                try world.close()
                return nil
            } catch { return (error as? SimulationFailure)?.violation }
        }
    }

    /// Counts each call, or counts it from its end on for a while, as if its deadline was then.
    private struct Counted: RPCInterceptor {
        let rules: ServerRules
        let isLate: Bool
        let isTimedOut: Bool

        nonisolated(nonsending) func intercept<Request, Response>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            if isLate {
                let host = rules.host
                defer {
                    let connection = rules.handlerBegan(call)
                    let deadline = isTimedOut ? host.world.now : nil
                    let end = host.kernel.end(ofConnectionOf: call)
                    host.world.schedule(after: .milliseconds(10)) {
                        rules.handlerEnded(
                            connection, deadline: deadline, end: end, isAwaited: false)
                    }
                }
                return try await next(request, call)
            }
            let connection = rules.handlerBegan(call)
            defer { rules.handlerEnded(connection, deadline: nil, end: nil, isAwaited: false) }
            return try await next(request, call)
        }
    }

    /// A peer that writes some bytes, and keeps its end open.
    private final class Peer: TCPConnectionHandler {
        let bytes: [UInt8]

        init(writing bytes: [UInt8] = []) { self.bytes = bytes }

        func connected(_ connection: TCPConnection) {
            connection.write { $0.append(bytes) }
        }
        func received(_ connection: TCPConnection, _ input: inout ByteBuffer) { input.removeAll() }
        func inputEnded(_ connection: TCPConnection) {}
    }

    private func connect(_ pair: Pair, writing bytes: [UInt8] = []) {
        let address = pair.server.address(port: 80)
        pair.client.loop.execute { reactor in
            TCPClient.connect(
                to: [address], on: reactor, timeout: .seconds(1), handler: Peer(writing: bytes)
            ) { _ in }
        }
    }

    @Test("Calls in flight on one connection are limited")
    func callsOfConnection() throws {
        let change: (inout RPCServerConfiguration) -> Void = { $0.limits.maxCallsPerConnection = 3 }
        let within = try Pair(change)
        try within.call(times: 4, over: 2)
        #expect(within.failure() == nil)
        let beyond = try Pair(change)
        try beyond.call(times: 4)
        #expect(
            beyond.failure()?.text
                == "server has 4 calls of a connection in flight, the most are 3")
    }

    @Test("Calls in flight on one server are limited")
    func calls() throws {
        let pair = try Pair { $0.limits.maxCalls = 3 }
        try pair.call(times: 4, over: 2)
        #expect(pair.failure()?.text == "server has 4 calls in flight, the most are 3")
    }

    @Test("Connections of a server are limited, and those of a peer")
    func connections() throws {
        let all = try Pair { $0.tcp.maxConnections = 2 }
        try all.call(times: 3, over: 3)
        #expect(all.failure()?.text == "server has 3 connections, the most are 2")
        let peer = try Pair { $0.tcp.maxConnectionsPerPeer = 2 }
        try peer.call(times: 3, over: 3)
        #expect(peer.failure()?.text == "server has 3 connections of a peer, the most are 2")
    }

    @Test("Bytes of a budget are given back")
    func budget() throws {
        let kept = ByteBudget(limitBytes: 1 << 20)
        kept.record(100)
        let pair = try Pair { $0.tcp.budget = kept }
        #expect(pair.failure()?.text.hasSuffix("server: 100 bytes of a budget") == true)
    }

    @Test("A server that drains begins no call")
    func drain() throws {
        let pair = try Pair(countsLate: true)
        try pair.call(times: 1)
        pair.world.schedule(after: .milliseconds(20)) { pair.drain.begin.withLock { $0 }?() }
        #expect(pair.failure()?.rule == .drain)
    }

    /// Keeps the error of a call back.
    private struct Stubborn: RPCInterceptor {
        let gate: AsyncEvent

        nonisolated(nonsending) func intercept<Request, Response>(
            _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
        ) async throws -> Response {
            do { return try await next(request, call) } catch {
                await gate.wait()
                throw error
            }
        }
    }

    @Test("A cancelled call ends at once, and so does one whose connection has ended")
    func promptness() throws {
        for cause in ["cancellation", "connection"] {
            let pair = try Pair()
            let (client, gate) = (pair.client, AsyncEvent())
            let channel = try client.channel(
                to: [pair.server.address(port: 80)], interceptors: [Stubborn(gate: gate)])
            client.run {
                await withTaskGroup { group in
                    group.addTask {
                        _ = try? await channel.call(
                            EchoService.later, Payload.with { $0.value.append(200) })
                    }
                    try? await client.sleep(for: .milliseconds(50))
                    if cause == "cancellation" { group.cancelAll() }
                }
            }
            pair.world.schedule(after: .milliseconds(50)) {
                if cause == "connection" { client.resetConnections() }
            }
            pair.world.schedule(after: .milliseconds(60)) { gate.fire() }
            let failure = pair.failure()
            #expect(failure?.rule == .callEnds)
            #expect(failure?.text.hasSuffix("after its \(cause)") == true)
        }
    }

    @Test("A handler is cancelled when its deadline passes, and when its connection ends")
    func cancelledHandler() throws {
        let late = try Pair(countsLate: true, timedOut: true)
        try late.call(times: 1)
        #expect(
            late.failure()?.text
                == "server: a handler was not cancelled, but ended 0.010000 s after its deadline")
        let lost = try Pair(countsLate: true)
        try lost.call(times: 1)
        lost.world.schedule(after: .milliseconds(20)) { lost.client.kill() }
        #expect(lost.failure()?.text.hasSuffix("s after its connection's end") == true)
    }

    @Test("No handler is cancelled whose caller waits for it")
    func awaitedHandler() throws {
        struct Cancelled: RPCInterceptor {
            nonisolated(nonsending) func intercept<Request, Response>(
                _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
            ) async throws -> Response {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await next(request, call)
            }
        }
        let world = World(seed: 1)
        let server = try world.host("server") { host in
            try host.serve([EchoService(host: host)], port: 80, interceptors: [Cancelled()])
        }
        let client = try world.host("client")
        client.run {
            let channel = try client.channel(to: server, port: 80)
            _ = try? await channel.call(EchoService.echo, Payload())
        }
        let failure = #expect(throws: SimulationFailure.self) { try world.run(for: .seconds(1)) }
        #expect(failure?.violation.text.hasSuffix("though its caller waits for it") == true)
    }

    @Test("A call ends as cancelled only if it was, and runs no more often than it is sent")
    func madeCalls() throws {
        struct Odd: RPCInterceptor {
            let isCancelled: Bool

            nonisolated(nonsending) func intercept<Request, Response>(
                _ request: Request, _ call: RPCController, next: RPCHandler<Request, Response>
            ) async throws -> Response {
                let response = try await next(request, call)
                if !isCancelled { return try await next(request, call) }
                _ = response
                throw RPCError(.cancelled, "the caller cancelled the call")
            }
        }
        for isCancelled in [false, true] {
            let pair = try Pair()
            var configuration = RPCChannelConfiguration()
            configuration.retry = .never
            let channel = try pair.client.channel(
                to: [pair.server.address(port: 80)], configuration: configuration,
                interceptors: [Odd(isCancelled: isCancelled)])
            pair.client.run {
                _ = try? await channel.call(EchoService.echo, Payload(), options: .idempotent)
            }
            #expect(pair.failure()?.rule == (isCancelled ? .callEnds : .atMostOnce))
        }
    }

    @Test("An invalid frame is a failure")
    func stream() throws {
        let pair = try Pair()
        connect(pair, writing: [0x07])
        #expect(pair.failure()?.rule == .stream)
    }

    @Test("A connection whose peer has closed it is closed, too")
    func closedPeer() throws {
        let pair = try Pair()
        connect(pair)
        try pair.world.run(for: .seconds(1))
        pair.server.kill()
        let failure = pair.failure(after: .seconds(25))
        #expect(failure?.rule == .leftover)
        #expect(failure?.text.contains("is open, though its peer has closed it") == true)
    }

    @Test("A handler is cancelled when its caller has ended the call")
    func abandonedHandler() throws {
        let pair = try Pair()
        let (client, server) = (pair.client, pair.server)
        client.run {
            let channel = try client.channel(to: server, port: 80)
            _ = try await channel.call(EchoService.echo, Payload())
            // As if the handler of this call, the first one, had not ended.
            _ = client.world.history.handlers.begin(0, on: server)
        }
        let failure = pair.failure(after: .seconds(25))
        #expect(failure?.rule == .callEnds)
        #expect(failure?.text.contains("though its caller has ended the call") == true)
    }
}
