import RocketBase
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import SwiftProtobuf
import Testing

@testable import RocketRPC

/// Handshakes that never end.
private struct EndlessSecurity: ServerTransportSecurity {
    private final class Session: SecureSession {
        var phase: SecureSessionPhase { .handshake }
        var peerIdentity: PeerIdentity { .none }
        var negotiatedProtocol: String? { nil }
        var hasPartialInput: Bool { false }

        func begin(output: inout ByteBuffer) throws(TransportSecurityError) {}
        func receive(
            _ input: inout ByteBuffer, plaintext: inout ByteBuffer, output: inout ByteBuffer
        ) throws(TransportSecurityError) { input.removeAll() }
        func encrypt(
            _ plaintext: RawSpan, output: inout ByteBuffer
        ) throws(TransportSecurityError) {}
        func finish(output: inout ByteBuffer) {}
    }

    func acceptSession() throws(TransportSecurityError) -> any SecureSession { Session() }
}

/// Snapshots of a server that runs.
@Suite("Snapshots of a server")
struct ServerSnapshotTests {
    private func withServer(
        configure: (inout RPCServerConfiguration) -> Void = { _ in },
        _ body: (RPCServer, RPCChannel) async throws -> Void
    ) async throws {
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configure(&configuration)
        let server = try RPCServer(
            configuration: configuration, services: [TestService(), SynchronousService()])
        #expect(await server.snapshot().state == .notStarted)
        try await withThrowingTaskGroup { group in
            group.addTask { try await server.run() }
            let address = try #require(await server.boundAddresses.first)
            let channel = try RPCChannel(to: address, configuration: .patient)
            do { try await body(server, channel) } catch {
                server.beginDrain()
                throw error
            }
            channel.close()
            server.beginDrain()
            try await group.waitForAll()
        }
        let last = await server.snapshot()
        #expect(last.state == .stopped && last.loops.isEmpty && last.connections.isEmpty)
    }

    @Test("A snapshot has the methods, connections, loops, calls and limits of the server")
    func everything() async throws {
        try await withServer {
            $0.collectsMetrics = true
            $0.ioThreads = 2
        } _: { server, channel in
            for _ in 0..<3 { _ = try await channel.call(TestService.echo, Text("abc")) }
            _ = try? await channel.call(SynchronousService.fail, Text("rpc"))
            let snapshot = await server.snapshot()
            #expect(snapshot.state == .running && snapshot.collectsMetrics)
            let echo = try #require(
                snapshot.methods.first { $0.name == "test.v1.Test.echo" })
            #expect(echo.ended == [RPCErrorCode(rawValue: 0): 3] && echo.latency.count == 3)
            #expect(echo.requestBytes == 15 && echo.responseBytes == 15)
            #expect(snapshot.methods.map(\.name) == snapshot.methods.map(\.name).sorted())
            #expect(snapshot.loops.map(\.name) == ["rocket-main", "rocket-io-0", "rocket-io-1"])
            #expect(!snapshot.loops.contains { $0.isStuck })
            #expect(snapshot.loops[1].ticks > 0)
            let connection = try #require(snapshot.connections.first)
            #expect(snapshot.connectionCount == 1 && snapshot.connectionsLeftOut == 0)
            #expect(connection.id == 1 && connection.loop == "rocket-io-0")
            #expect(connection.receivedBytes > 100 && connection.sentBytes > 100)
            #expect(snapshot.sampledCalls.contains { $0.reason == .failed })
            let sample = try #require(snapshot.sampledCalls.first { $0.reason == .sampled })
            #expect(sample.method == "test.v1.Test.echo" && sample.connection == 1)
            #expect(sample.decode != nil && sample.handler != nil && sample.encode != nil)
            #expect(sample.flush != nil && sample.time <= snapshot.time)
            let limits = Dictionary(uniqueKeysWithValues: snapshot.limits.map { ($0.name, $0) })
            #expect(limits["connections"]?.current == 1 && limits["connections"]?.highest == 1)
            #expect(limits["connections"]?.limit == 10_000)
            #expect(limits["memory_budget_bytes"]?.limit ?? 0 > 0)
            #expect(limits.count == 12)
        }
    }

    @Test("A snapshot has the last error of each method, and why calls were refused")
    func errors() async throws {
        try await withServer {
            $0.collectsMetrics = true
            $0.ioThreads = 2
            $0.limits.methods["test.v1.Test.echo"] = RPCMethodLimits(maxRequestBytes: 4)
        } _: { server, channel in
            _ = try? await channel.call(TestService.fail, Text("else"))
            _ = try? await channel.call(TestService.fail, Text("rpc"))
            _ = try? await channel.call(TestService.echo, Text("much"))
            _ = try? await channel.call(
                RPCMethod<Text, Text>(service: "no", name: "none"), Text("x"))
            let snapshot = await server.snapshot()
            func error(_ name: String) -> RPCServerSnapshot.Method.Failure? {
                snapshot.methods.first { $0.name == name }?.lastError
            }
            let failed = try #require(error("test.v1.Test.fail"))
            #expect(failed.code == .permissionDenied && failed.text == "not you")
            #expect(failed.time <= snapshot.time && failed.time >= snapshot.startedAt)
            #expect(error("test.v1.Test.echo")?.text == "the request has 6 bytes; 4 are allowed")
            #expect(error(RPCServerSnapshot.Method.unknownName)?.code == .serviceNotFound)
            #expect(error("test.v1.Test.hold") == nil)
            let refused = snapshot.statistics.refusedByReason
            #expect(refused["request_size"] == 1 && refused["unknown_method"] == 1)
            #expect(refused["draining"] == 0 && snapshot.statistics.refusedCalls == 2)
            #expect(refused.values.reduce(0, +) == 2)
        }
    }

    @Test("A connection in its handshake is in the table")
    func handshake() async throws {
        try await withServer {
            $0.tcp.security.tcp = EndlessSecurity()
            $0.tcp.connection.handshakeTimeout = .seconds(3600)
        } _: { server, _ in
            let address = try #require(await server.boundAddresses.first)
            let peer = try RawPeer(connectingTo: address)
            var connections: [RPCServerSnapshot.Connection] = []
            for _ in 0..<1_000 where connections.isEmpty {
                connections = await server.snapshot().connections
            }
            let connection = try #require(connections.first)
            #expect(connection.phase == .handshake && connection.isEncrypted)
            #expect(connection.id == 1 && connection.wire.isEmpty)
            peer.close()
        }
    }

    @Test("The bytes that wait for a peer that does not read are those of the kernel, too")
    func unread() async throws {
        try await withServer { server, _ in
            let address = try #require(await server.boundAddresses.first)
            let peer = try RawPeer(connectingTo: address)
            let request = try FrameKit().frame(
                id: "1", "test.v1.Test.triple",
                payload: Text(String(repeating: "x", count: 400_000)).serializedBytes())
            // The peer's machine takes some MiB of what is not read, and more while it makes room.
            var connection = RPCServerSnapshot.Connection(id: 0, peer: address)
            while connection.unreadFor == .zero || connection.unsentBytes == 0
                || connection.kernelBytes == 0
            {
                if connection.unsentBytes == 0 { peer.sendAll(request) }
                connection = await server.snapshot().connections.first ?? connection
            }
            #expect(connection.sentBytes > 100_000)
            peer.close()
        }
    }

    @Test(
        "A peer has not read since a snapshot has seen bytes wait, until it takes some or none wait"
    )
    func unreadFor() {
        var reading = PeerReading()
        func look(_ second: UInt64, sent: UInt64, inKernel: Int, unsent: Int) -> Duration {
            reading.look(
                sent: sent, inKernel: inKernel, unsent: unsent,
                at: MonotonicTime(nanoseconds: second * 1_000_000_000))
        }
        #expect(look(1, sent: 0, inKernel: 0, unsent: 0) == .zero)
        #expect(look(5, sent: 100, inKernel: 60, unsent: 0) == .zero)
        #expect(look(7, sent: 100, inKernel: 60, unsent: 0) == .seconds(2))
        // More was sent, and nothing taken.
        #expect(look(8, sent: 150, inKernel: 110, unsent: 9) == .seconds(3))
        #expect(look(9, sent: 150, inKernel: 109, unsent: 9) == .zero)
        #expect(look(12, sent: 150, inKernel: 109, unsent: 9) == .seconds(3))
        #expect(look(13, sent: 159, inKernel: 0, unsent: 0) == .zero)
        #expect(look(20, sent: 160, inKernel: 1, unsent: 0) == .zero)
    }

    @Test("A table without room for all connections has those with the most bytes that wait")
    func largest() {
        let connections = (1...4).map { number in
            var connection = RPCServerSnapshot.Connection(
                id: UInt64(number), peer: .loopback(port: 1))
            if number == 2 { connection.kernelBytes = 7 }
            if number == 3 { connection.unsentBytes = 6 }
            if number == 4 { connection.callsInFlight = 1 }
            return connection
        }
        #expect(connections.largest(9).map(\.id) == [1, 2, 3, 4])
        #expect(connections.largest(3).map(\.id) == [2, 3, 4])
        #expect(connections.largest(0).isEmpty)
    }

    @Test("A server that does not record calls tells the rest")
    func withoutRecording() async throws {
        try await withServer { server, channel in
            _ = try await channel.call(TestService.echo, Text("abc"))
            let snapshot = await server.snapshot(maxConnections: 0)
            #expect(!snapshot.collectsMetrics && snapshot.methods.isEmpty)
            #expect(snapshot.sampledCalls.isEmpty && snapshot.connections.isEmpty)
            #expect(snapshot.connectionCount == 1 && snapshot.connectionsLeftOut == 1)
            #expect(snapshot.loops.count == 2 && !snapshot.limits.isEmpty)
        }
    }

    @Test("A channel's snapshot joins its state, its counters and its servers")
    func channel() async throws {
        try await withServer { _, channel in
            _ = try await channel.call(TestService.echo, Text("abc"))
            let snapshot = await channel.snapshot()
            #expect(snapshot.state == .ready && snapshot.target == channel.target)
            #expect(snapshot.endpoints.count == 1 && snapshot.statistics.connects == 1)
        }
    }
}
