import RocketBase
import RocketGRPC
@_spi(Transport) import RocketRPC
import RocketReactorTestKit
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

/// Calls over HTTP/1.1 to a whole server. The client here is a socket: real ones are in Tests/GRPC.
@Suite("A server with a listener for HTTP/1.1", .ownThread)
struct HTTP1ServerTests {
    private static func post(_ method: String, _ body: String) -> [UInt8] {
        let text =
            "POST /test.v1.Calls/\(method) HTTP/1.1\r\nHost: localhost\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
        return [UInt8](text.utf8)
    }

    private func withServer(
        _ services: [any RPCService] = [GRPCService()],
        configure: (inout RPCServerConfiguration) -> Void = { _ in },
        _ body: (RPCServer, NetAddress) async throws -> Void
    ) async throws {
        try await withGRPCServer(
            services,
            configure: { configuration in
                configuration.http = RPCHTTPConfiguration(
                    tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
                configure(&configuration)
            }
        ) { server, _ in
            try await body(server, #require(await server.boundHTTPAddresses.first))
        }
    }

    @Test("Calls are answered, counted and shown as those of any wire")
    func call() async throws {
        try await withServer(configure: { $0.collectsMetrics = true }) { server, address in
            let socket = try RawPeer(connectingTo: address)
            socket.send(Self.post("echo", #""hello""#))
            let response = socket.receive(until: "\"hello\"")
            #expect(response.hasPrefix("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"))
            let snapshot = await server.snapshot()
            #expect(snapshot.connections.map(\.wire) == ["HTTP/1.1"])
            #expect(snapshot.limits.first { $0.name == "http_connections" }?.current == 1)
            #expect(snapshot.methods.first { $0.name == "test.v1.Calls.echo" }?.started == 1)
        }
    }

    @Test("A client that goes away cancels its call")
    func cancelled() async throws {
        let service = GRPCService()
        try await withServer([service]) { _, address in
            do {
                let socket = try RawPeer(connectingTo: address)
                socket.send(Self.post("wait", #""x""#))
                await service.hasBegun.wait()
            }
            await service.wasCancelled.wait()
        }
    }

    @Test("A call that has not ended when the drain's time is up is answered with 503")
    func drain() async throws {
        let service = GRPCService()
        try await withServer([service], configure: { $0.drainTimeout = .milliseconds(10) }) {
            server, address in
            let socket = try RawPeer(connectingTo: address)
            socket.send(Self.post("wait", #""x""#))
            await service.hasBegun.wait()
            server.beginDrain()
            let response = socket.receive(until: "}")
            #expect(response.hasPrefix("HTTP/1.1 503 ") && response.contains("connection: close"))
        }
    }

    @Test("A connection beyond the limit of the listener is closed")
    func connections() async throws {
        try await withServer(configure: { $0.http?.tcp.maxConnections = 1 }) { server, address in
            let first = try RawPeer(connectingTo: address)
            first.send(Self.post("echo", #""a""#))
            _ = first.receive(until: "\"a\"")
            let second = try RawPeer(connectingTo: address)
            #expect(second.receive(until: "never") == "")
            #expect(
                await server.snapshot().limits.first { $0.name == "http_connections" }?.refusals
                    == 1)
        }
    }

    @Test("Without a wire for it, without JSON and on an address in use it can't start")
    func invalid() async throws {
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        configuration.http = RPCHTTPConfiguration(
            tcp: TCPServerConfiguration(listen: [.loopback(port: 0)]))
        #expect(throws: RPCError.self) {
            try RPCServer(configuration: configuration, services: [GRPCService()])
        }
        configuration.protocols = [.grpc()]
        configuration.json = false
        #expect(throws: RPCError.self) {
            try RPCServer(configuration: configuration, services: [GRPCService()])
        }
        configuration.json = true
        try await withServer { _, address in
            configuration.http?.tcp.listen = [address]
            let other = try RPCServer(configuration: configuration, services: [GRPCService()])
            await #expect(throws: TCPListenError.self) { try await other.run() }
            #expect(await other.boundHTTPAddresses == [])
        }
    }

    @Test("The configuration says where it listens, and who may connect")
    func configuration() throws {
        var config = ServerConfig()
        var http = HTTPConfig()
        http.listen = ["127.0.0.1:8080", "unix:/run/json.sock", "127.0.0.1:8080"]
        http.maxConnections = 7
        http.maxConnectionsPerPeer = 3
        http.hosts = ["API.example"]
        config.http = http
        let made = try RPCServerConfiguration(config, protocols: [.grpc()])
        let listener = try #require(made.http)
        #expect(
            listener.tcp.listen.map(\.description) == ["127.0.0.1:8080", "unix:/run/json.sock"])
        #expect(listener.tcp.maxConnections == 7 && listener.tcp.maxConnectionsPerPeer == 3)
        #expect(listener.tcp.budget === made.tcp.budget && listener.tcp.security.tcp == nil)
        #expect(listener.requestTimeout == .seconds(30) && listener.idleTimeout == .seconds(60))
        #expect(listener.tcp.connection.idleTimeout == nil && listener.hosts == ["API.example"])
        let error = #expect(throws: RPCError.self) { try RPCServerConfiguration(config) }
        #expect(error?.message.contains("RocketGRPC") == true)
        config.tls = ServerTLSConfig(certificate: "a", key: "b")
        #expect(throws: RPCError.self) { try RPCServerConfiguration(config, protocols: [.grpc()]) }
    }
}

extension RawPeer {
    /// Reads until the text has come, or the end. Blocks.
    fileprivate func receive(until text: String) -> String {
        var received = ""
        while !received.hasSuffix(text) {
            let byte = receive(exactly: 1)
            if byte.isEmpty { break }
            received += String(decoding: byte, as: UTF8.self)
        }
        return received
    }
}
