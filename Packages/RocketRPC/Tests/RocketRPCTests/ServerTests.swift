import RocketBase
import RocketRPC
import RocketSystem
import RocketReactorTestKit
import RocketTCP
import ServiceLifecycleTestKit
import SwiftProtobuf
import Synchronization
import Testing

@Suite("Server", .ownThread)
struct ServerTests {
    /// An unused abstract address of a Unix socket.
    func freshAddress() -> NetAddress {
        NetAddress(.abstract(name: "rocket-test-\(UInt64.random(in: 0 ... .max))"))
    }

    func server(
        _ service: TestService = TestService(), listen: [NetAddress] = [.loopback(port: 0)]
    ) throws -> RPCServer {
        var configuration = RPCServerConfiguration(tcp: TCPServerConfiguration(listen: listen))
        configuration.drainTimeout = .seconds(3600)
        return try RPCServer(configuration: configuration, services: [service])
    }

    @Test("A server serves calls on all of its listeners")
    func allListeners() async throws {
        let server = try server(
            listen: [.loopback(port: 0), .loopback(port: 0), freshAddress()])
        #expect(server.state == .notStarted)
        let running = Task { try await server.run() }
        let addresses = await server.boundAddresses
        #expect(server.state == .running)
        #expect(addresses.count == 3)
        #expect(Set(addresses).count == 3)
        for address in addresses {
            let channel = try RPCChannel(to: address, configuration: .patient)
            let reply = try await channel.call(TestService.echo, Text("here"))
            #expect(reply.value == "here")
            channel.close()
        }
        server.beginDrain()
        try await running.value
        #expect(server.state == .stopped)
    }

    @Test("If one listener fails to open, none is open")
    func failedListener() async throws {
        let address = freshAddress()
        let server = try server(listen: [.loopback(port: 0), address, address])
        await #expect(throws: TCPListenError.self) { try await server.run() }
        #expect(server.state == .stopped)
        let bound = await server.boundAddresses
        #expect(bound.isEmpty)
        let second = try self.server(listen: [address])
        let running = Task { try await second.run() }
        let bound2 = await second.boundAddresses
        #expect(bound2 == [address])
        second.beginDrain()
        try await running.value
    }

    @Test("A drain before the start keeps the listeners closed")
    func drainBeforeStart() async throws {
        let server = try server()
        server.beginDrain()
        #expect(server.state == .stopped)
        try await server.run()
        let bound = await server.boundAddresses
        #expect(bound.isEmpty)
        await #expect(throws: RPCError.self) { try await server.run() }
    }

    @Test("A draining server refuses new calls and answers health checks")
    func callsWhileDraining() async throws {
        let service = TestService()
        let server = try server(service)
        let running = Task { try await server.run() }
        let address = try #require(await server.boundAddresses.first)
        let kit = FrameKit()
        let client = try RawClient(address)
        client.send(
            try kit.frame(id: "1", "test.v1.Test.hold", payload: Number(1).serializedBytes()))
        await service.gate.arrived(1)
        let watch = RPCHealthWatchRequest.with { $0.known = .serving }
        client.send(
            try kit.frame(
                id: "watch", "rocket.Health.watch", payload: watch.serializedBytes()))
        server.beginDrain()
        // The watch call returns first, so the drain has begun.
        let told = try kit.parse(client.receiveFrame())
        #expect(told.id == "watch")
        #expect(try RPCHealthCheckResponse(serializedBytes: told.payload).status == .notServing)
        #expect(server.state == .draining)
        // The loop refuses calls once it has been notified; until then they are served.
        var code = RPCErrorCode(rawValue: 0)
        while code.rawValue == 0 {
            client.send(try kit.frame(id: "2"))
            code = try kit.parse(client.receiveFrame()).code
        }
        #expect(code == .unavailable)
        client.send(try kit.frame(id: "3", "rocket.Health.check"))
        #expect(try kit.parse(client.receiveFrame()).code.rawValue == 0)
        service.gate.open()
        #expect(try kit.parse(client.receiveFrame()).id == "1")
        #expect(client.isAtEnd())
        try await running.value
    }

    @Test("A drain lets running calls finish")
    func runningCalls() async throws {
        let service = TestService()
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.drainTimeout = .seconds(3600)
        let server = try RPCServer(configuration: configuration, services: [service])
        let running = Task { try await server.run() }
        let channel = try RPCChannel(to: try #require(await server.boundAddresses.first))
        let call = Task {
            try await channel.call(TestService.hold, Number(5), timeout: .seconds(3600))
        }
        await service.gate.arrived(1)
        server.beginDrain()
        service.gate.open()
        #expect(try await call.value.value == 5)
        try await running.value
        channel.close()
    }

    @Test("A graceful shutdown drains the server")
    func gracefulShutdown() async throws {
        let service = TestService()
        let server = try server(service)
        try await testGracefulShutdown { trigger in
            let running = Task { try await server.run() }
            let client = try RawClient(try #require(await server.boundAddresses.first))
            client.send(
                try FrameKit().frame("test.v1.Test.hold", payload: Number(1).serializedBytes()))
            await service.gate.arrived(1)
            trigger.triggerGracefulShutdown()
            #expect(server.state == .draining)
            service.gate.open()
            #expect(try FrameKit().parse(client.receiveFrame()).code.rawValue == 0)
            #expect(client.isAtEnd())
            try await running.value
        }
        #expect(server.state == .stopped)
    }

    @Test("At its time-out a drain ends calls, and waits no longer")
    func drainTimeoutExpiry() async throws {
        let service = TestService()
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.drainTimeout = .milliseconds(20)
        let server = try RPCServer(configuration: configuration, services: [service])
        let running = Task { try await server.run() }
        let client = try RawClient(try #require(await server.boundAddresses.first))
        client.send(try FrameKit().frame("test.v1.Test.never"))
        await service.gate.arrived(1)
        server.beginDrain()
        // Before the test blocks: the server needs a thread of the pool.
        try await running.value
        let answer = try FrameKit().parse(client.receiveFrame())
        #expect(answer.code == .peerClosed && answer.info.contains("the server stopped"))
        #expect(client.isAtEnd())
        // The handler's task was cancelled, and opened the gate.
        await service.gate.wait()
        #expect(service.gate.cancelled.withLock { $0 } == 1)
    }

    @Test("Cancelling run() stops the server without waiting for calls")
    func cancelledRun() async throws {
        let service = TestService()
        let server = try server(service)
        let running = Task { try await server.run() }
        let client = try RawClient(try #require(await server.boundAddresses.first))
        client.send(try FrameKit().frame("test.v1.Test.never"))
        await service.gate.arrived(1)
        running.cancel()
        try await running.value
        #expect(client.isAtEnd())
        await service.gate.wait()
        #expect(service.gate.cancelled.withLock { $0 } == 1)
    }
}
