import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP
import SwiftProtobuf
import Testing

@_spi(Transport) @testable import RocketRPC

/// A server accepts through an injected listener, and a channel connects through a connector:
/// neither depends on the kind of transport.
@Suite("Injected listeners")
struct ListenerTests {
    /// Accepts connections in memory: the connector joins a channel's handler with a new handler.
    final class InMemoryListener: ConnectionListener {
        let loop: EventLoop
        let makeHandler: @Sendable (Reactor) -> any TCPConnectionHandler
        let drained = Locked(false)

        init(
            _ loop: EventLoop,
            _ makeHandler: @escaping @Sendable (Reactor) -> any TCPConnectionHandler
        ) {
            self.loop = loop
            self.makeHandler = makeHandler
        }

        var connectionCount: Int { 0 }
        var bufferedBytes: Int { 0 }
        func start() throws(TCPListenError) -> [NetAddress] { [InMemoryTransport.address] }
        func drain(within limit: Duration) async { drained.withLock { $0 = true } }
        func stop() {}
    }

    struct Joining: Connector {
        let listener: InMemoryListener

        var peerIsKnown: Bool { false }

        func connect(
            index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
            failed: @escaping (RPCError) -> Void
        ) -> () -> Void {
            guard let far = listener.makeHandler(reactor) as? any TransportHandler else {
                failed(RPCError(.failedConnect, "no handler of transports"))
                return {}
            }
            InMemoryTransport.join(handler, far, on: reactor)
            return {}
        }
    }

    @Test("A server serves the connections of its listener, and drains through it")
    func serving() async throws {
        let made = Locked<InMemoryListener?>(nil)
        let server = try RPCServer(
            configuration: RPCServerConfiguration(tcp: TCPServerConfiguration(listen: [])),
            services: [TestService()], interceptors: [], logger: .disabled,
            time: SystemTimeSource()
        ) { _, sub, makeHandler in
            let listener = InMemoryListener(sub[0], makeHandler)
            made.withLock { $0 = listener }
            return listener
        }
        let running = Task { try await server.run() }
        #expect(await server.boundAddresses == [InMemoryTransport.address])
        let listener = try #require(made.withLock { $0 })
        let channel = try RPCChannel(
            over: Joining(listener: listener), configuration: .patient, interceptors: [],
            loop: listener.loop, logger: .disabled, target: "listener")
        let response = try await channel.call(TestService.echo, Text("hi"))
        #expect(response.value == "hi")
        channel.close()
        server.beginDrain()
        try await running.value
        #expect(listener.drained.withLock { $0 })
    }
}
