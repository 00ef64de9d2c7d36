import RocketBase
import RocketBaseTestKit
import RocketCodec
import RocketReactor
import RocketReactorTestKit
import RocketSystem
import RocketTCP

@_spi(Transport) @testable import RocketRPC

/// Connections of one server on a manual clock and a loop that the test drives. The test is their
/// transport: it decides what arrives, and sees what was written and how they were closed.
struct ServerScene {
    let loop: HandDrivenLoop
    let dispatcher: RPCDispatcher
    let scheduler: HandlerScheduler
    /// Nil: calls are not recorded.
    let metrics: ServerMetrics?
    let codec: TinyPBCodec
    let kit = FrameKit()

    /// The server's end of a connection, with a peer that reads everything.
    final class Peer: Transport {
        var localAddress: NetAddress {
            ownAddressLooks += 1
            return NetAddress.loopback(port: 1)
        }
        /// How often the own address was asked for: a system call each on TCP.
        private(set) var ownAddressLooks = 0
        let peerAddress = NetAddress.loopback(port: 2)
        let peerIdentity: PeerIdentity
        let signalsReset = true
        var negotiatedProtocol: String? { nil }
        var handlerBytes = 0
        let isWritable = true
        let sentBytes: UInt64 = 0
        var pendingBytes: Int { output.readableBytes }
        private(set) var closing: CloseReason?
        private var input = ByteBuffer()
        private var output = ByteBuffer()

        init(_ identity: PeerIdentity) { peerIdentity = identity }

        func readInput(_ body: (inout ByteBuffer) -> Void) { body(&input) }

        func send(_ body: (inout ByteBuffer) -> Void) -> Bool {
            var dropped = ByteBuffer()
            if closing == nil { body(&output) } else { body(&dropped) }
            return true
        }

        func handOver(to handler: any TransportHandler) {}

        func close(_ how: TCPConnection.Closing, reason: CloseReason) {
            closing = closing ?? reason
        }

        fileprivate func receive(_ bytes: [UInt8], _ connection: ServerConnection) {
            var buffer = ByteBuffer()
            swap(&buffer, &input)
            buffer.append(bytes)
            connection.received(self, &buffer)
            swap(&buffer, &input)
        }

        /// Delivers bytes without running the loop.
        func receiveOnly(_ bytes: [UInt8], _ connection: ServerConnection) {
            receive(bytes, connection)
        }

        fileprivate func take() -> [UInt8] {
            defer { output.removeAll() }
            return output.copyBytes()
        }
    }

    /// A connection and its transport.
    struct Client {
        let connection: ServerConnection
        let peer: Peer
        fileprivate let scene: ServerScene

        /// Delivers bytes, and runs the loop until it is idle.
        func send(_ bytes: [UInt8]) {
            peer.receive(bytes, connection)
            scene.loop.tickUntilIdle()
        }

        func call(
            _ method: String = "test.v1.Test.echo", id: String, info: String = "",
            payload: [UInt8] = []
        ) throws {
            send(try scene.kit.frame(id: id, method, info: info, payload: payload))
        }

        /// The frames that were written since the last call of this function.
        func answers() throws -> [FrameKit.Answer] { try scene.kit.parseAll(peer.take()) }

        /// The peer half-closes the connection.
        func finish() {
            connection.inputEnded(peer)
            scene.loop.tickUntilIdle()
        }

        /// The server begins to drain.
        func drain() {
            connection.draining(peer)
            scene.loop.tickUntilIdle()
        }

        /// The connection is reset.
        func reset() {
            connection.closed(peer, reason: .peerReset)
            scene.loop.tickUntilIdle()
        }
    }

    /// Returns the client of a new connection.
    func client(_ connection: ServerConnection, _ identity: PeerIdentity = .none) -> Client {
        let peer = Peer(identity)
        connection.connected(peer)
        return Client(connection: connection, peer: peer, scene: self)
    }

    /// Runs `body` with `count` connections. `body` must let its handlers end.
    static func with(
        _ services: [any RPCService], connections count: Int = 1,
        interceptors: [any RPCInterceptor] = [], limits: RPCCallLimits = RPCCallLimits(),
        codec: TinyPBCodec = TinyPBCodec(), age: ConnectionAge? = nil,
        authenticator: (any RPCAuthenticator)? = nil, authorization: AuthorizationPolicy? = nil,
        identity: PeerIdentity = .none, clock: ManualTimeSource = ManualTimeSource(),
        metrics: ServerMetrics.Settings? = nil, flightRecorder: FlightRecorder? = nil,
        registry: SchedulerRegistry? = nil,
        _ body: (ServerScene, [Client]) throws -> Void
    ) throws {
        let loop = try HandDrivenLoop(clock: clock)
        let dispatcher = try RPCDispatcher(
            services: services, interceptors: interceptors, limits: limits,
            authenticator: authenticator, authorization: authorization, time: loop.clock)
        let metrics = metrics.map {
            ServerMetrics(
                $0, methods: dispatcher.table.entries, flightRecorder: flightRecorder)
        }
        let scheduler = HandlerScheduler(
            reactor: loop.reactor, dispatcher: dispatcher, age: age, metrics: metrics,
            registry: registry)
        let scene = ServerScene(
            loop: loop, dispatcher: dispatcher, scheduler: scheduler, metrics: metrics,
            codec: codec)
        let clients = (0..<count).map { _ in
            scene.client(
                ServerConnection(dispatcher: dispatcher, codec: codec, scheduler: scheduler),
                identity)
        }
        try body(scene, clients)
        for client in clients where client.connection.transport != nil { client.reset() }
        scheduler.stop()
        loop.tickUntilIdle()
    }
}

extension [FrameKit.Answer] {
    var ids: [String] { map(\.id) }
    var codes: [RPCErrorCode] { map(\.code) }
}

extension RPCErrorCode {
    static let success = RPCErrorCode(rawValue: 0)
}
