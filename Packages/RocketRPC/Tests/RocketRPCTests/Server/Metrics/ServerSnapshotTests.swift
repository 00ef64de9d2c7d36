import RocketBase
import RocketRPC
import RocketTCP
import SwiftProtobuf
import Testing

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
