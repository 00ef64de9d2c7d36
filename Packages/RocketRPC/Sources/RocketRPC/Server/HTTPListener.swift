import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

/// The listeners of a server for HTTP/1.1: on the loops of the server, with limits on connections of
/// their own. Any thread.
final class HTTPListener: Sendable {
    private struct State {
        var server: TCPServer?
        var addresses: [NetAddress] = []
    }

    private let configuration: RPCHTTPConfiguration
    private let logger: RocketLogger
    private let makeHandler: @Sendable (Reactor) -> any TCPConnectionHandler
    private let state = Locked(State())

    /// - Parameter makeHandler: makes the handler of a connection, on its loop.
    init(
        _ configuration: RPCHTTPConfiguration, logger: RocketLogger,
        makeHandler: @escaping @Sendable (Reactor) -> any TCPConnectionHandler
    ) {
        self.configuration = configuration
        self.logger = logger
        self.makeHandler = makeHandler
    }

    /// Where it listens; empty before, and after a failed start.
    var addresses: [NetAddress] { state.withLock { $0.addresses } }

    /// Its connections, and the limits on them; nil before the start.
    var connectionCounts: ConnectionCounts? { state.withLock { $0.server }?.connectionCounts }

    /// Makes what accepts the connections of the server and those of this listener.
    func beside(_ make: @escaping ServerRuntime.MakeListener) -> ServerRuntime.MakeListener {
        { [self] main, sub, makeServerHandler in
            let server = TCPServer(
                configuration: configuration.tcp, mainLoop: main, subLoops: sub, logger: logger,
                makeHandler: makeHandler)
            state.withLock { $0.server = server }
            return ListenerPair(server: make(main, sub, makeServerHandler), http: server) {
                [self] addresses in
                state.withLock { $0.addresses = addresses }
                logger.info("serving JSON over HTTP/1.1") {
                    $0.add("addresses", addresses.map(\.description).joined(separator: " "))
                }
            }
        }
    }
}

/// The listeners of a server and those for HTTP/1.1, which open, drain and stop together.
private struct ListenerPair: ConnectionListener {
    let server: any ConnectionListener
    let http: TCPServer
    let opened: @Sendable ([NetAddress]) -> Void

    /// Returns the addresses of the server's own listeners.
    func start() throws(TCPListenError) -> [NetAddress] {
        let addresses = try server.start()
        do throws(TCPListenError) {
            opened(try http.start())
        } catch {
            server.stop()
            throw error
        }
        return addresses
    }

    func drain(within limit: Duration) async {
        async let drained: Void = http.drain(within: limit)
        await server.drain(within: limit)
        await drained
    }

    func stop() {
        server.stop()
        http.stop()
    }

    var connectionCount: Int { server.connectionCount + http.connectionCount }
    var bufferedBytes: Int { server.bufferedBytes + http.bufferedBytes }
    /// Those of the server: the others have limits of their own.
    var connectionCounts: ConnectionCounts { server.connectionCounts }
}
