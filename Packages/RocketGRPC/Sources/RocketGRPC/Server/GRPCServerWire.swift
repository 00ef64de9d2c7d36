import RocketBase
import RocketCodec
import RocketHTTP2
import RocketReactor
@_spi(Transport) public import RocketRPC

extension RPCWireProtocol {
    /// gRPC over HTTP/2, on the listeners that serve TinyPB: connections are told apart by their first
    /// bytes, under TLS by ALPN (`h2`, which the listener's configuration must offer).
    public static func grpc(
        _ configuration: GRPCServerConfiguration = GRPCServerConfiguration()
    ) -> RPCWireProtocol {
        RPCWireProtocol(GRPCServerWire(configuration))
    }
}

/// Makes the connections of gRPC of a server. Any thread.
final class GRPCServerWire: WireProtocol {
    let configuration: GRPCServerConfiguration
    let encodings: MessageEncodings
    /// The first HEADERS of a response without metadata and compression.
    let plainHeaders: HTTP2Headers
    /// The trailers of a response without metadata and error.
    let plainTrailers: HTTP2Headers

    init(_ configuration: GRPCServerConfiguration) {
        self.configuration = configuration
        encodings = MessageEncodings(configuration.compression?.encodings ?? [])
        plainHeaders = Self.headers(.identity, encodings)
        plainTrailers = HTTP2Headers(["grpc-status": "0"])
    }

    /// The name of the wire, of servers and of channels.
    static let wireName = "gRPC"
    var name: String { Self.wireName }

    var applicationProtocols: [String] { ["h2"] }

    func services(_ server: WireServices) -> [any RPCService] {
        var services: [any RPCService] = []
        if let health = server.health { services.append(GRPCHealth(health: health)) }
        if let source = server.reflection {
            services.append(GRPCReflection(source: source))
            services.append(GRPCReflectionAlpha(source: source))
        }
        return services
    }

    func matches(_ bytes: RawSpan) -> WireMatch {
        let preface = HTTP2Session.preface
        let count = min(bytes.byteCount, preface.count)
        for index in 0..<count where bytes.byte(index) != preface[index] { return .no }
        return count == preface.count ? .yes : .needMore
    }

    func makeHandler(
        for rpc: any TransportHandler, settings: WireSettings, on reactor: Reactor
    ) -> any TransportHandler {
        GRPCServerConnection(self, for: rpc, settings, on: reactor)
    }

    var http1: (any HTTP1Wire)? { self }

    /// The fields that begin a response.
    static func headers(_ encoding: MessageEncoding, _ known: MessageEncodings) -> HTTP2Headers {
        var headers = HTTP2Headers([":status": "200", "content-type": ContentType.sent])
        if case .number(let number) = encoding { headers.add("grpc-encoding", known.names[number]) }
        if !known.names.isEmpty { headers.add("grpc-accept-encoding", known.text) }
        return headers
    }
}

extension GRPCServerWire: HTTP1Wire {
    func makeHTTP1Handler(
        for rpc: any TransportHandler, settings: WireSettings, http: HTTP1Settings,
        on reactor: Reactor
    ) -> any TransportHandler {
        HTTP1ServerConnection(self, for: rpc, settings, http, on: reactor)
    }
}
