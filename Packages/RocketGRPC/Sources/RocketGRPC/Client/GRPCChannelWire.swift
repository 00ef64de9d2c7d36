import RocketBase
import RocketHTTP2
import RocketReactor
@_spi(Transport) public import RocketRPC
import Synchronization

extension RPCChannelProtocol {
    /// gRPC over HTTP/2. With TLS, the `security` of a channel that is made in code must
    /// offer `h2` by ALPN.
    public static func grpc(
        _ configuration: GRPCChannelConfiguration = GRPCChannelConfiguration()
    ) -> RPCChannelProtocol {
        let wire = GRPCChannelWire(configuration)
        return RPCChannelProtocol(applicationProtocols: ["h2"]) {
            GRPCConnector(base: $0, wire: wire, settings: $1)
        }
    }
}

/// What the connections of channels with one configuration share. Any thread.
final class GRPCChannelWire: Sendable {
    let configuration: GRPCChannelConfiguration
    let encodings: MessageEncodings
    let userAgent: String
    /// What requests are compressed by.
    let requestEncoding: MessageEncoding
    private let keepaliveFactor = Atomic(1)

    init(_ configuration: GRPCChannelConfiguration) {
        self.configuration = configuration
        encodings = MessageEncodings(configuration.compression?.encodings ?? [])
        let own = "grpc-swift-rocket/1.0"
        userAgent = configuration.userAgent.map { "\($0) \(own)" } ?? own
        let compresses = configuration.compressesRequests && !encodings.names.isEmpty
        requestEncoding = compresses ? .number(0) : .identity
    }

    /// How long a server may be silent; nil: for ever.
    var keepaliveTime: Duration? {
        configuration.keepaliveTime.map { $0 * keepaliveFactor.load(ordering: .relaxed) }
    }

    /// A server has ended a connection because of too many pings: later ones ping half as often.
    func pingLess() {
        let factor = keepaliveFactor.load(ordering: .relaxed)
        keepaliveFactor.store(min(factor * 2, 1 << 20), ordering: .relaxed)
    }
}

/// Opens connections of gRPC over those of another connector.
struct GRPCConnector: Connector {
    let base: any Connector
    let wire: GRPCChannelWire
    let settings: WireSettings

    /// Metadata of 8 KiB and streams are a matter of course in gRPC.
    var peerIsKnown: Bool { true }
    var attemptsKey: String? { "grpc-previous-rpc-attempts" }

    func connect(
        index: Int, on reactor: Reactor, timeout: Duration, handler: any TransportHandler,
        failed: @escaping (RPCError) -> Void
    ) -> () -> Void {
        let connection = GRPCClientConnection(
            wire, for: handler, settings, on: reactor, timeout: timeout, failed: failed)
        let cancel = base.connect(
            index: index, on: reactor, timeout: timeout, handler: connection,
            failed: { connection.connectFailed($0) })
        return {
            cancel()
            connection.cancelConnect()
        }
    }
}
