public import RocketBase
public import RocketCodec
public import RocketReactor
public import SwiftProtobuf

/// Another wire that a server speaks on the same listeners: its connections are translated into
/// frames of TinyPB and back, so that calls take the same way whatever their wire is. Any thread.
@_spi(Transport) public protocol WireProtocol: Sendable {
    /// Its name in log lines, such as `gRPC`.
    var name: String { get }

    /// Its names in ALPN, such as `h2`.
    var applicationProtocols: [String] { get }

    /// Whether a connection without ALPN that begins with these bytes speaks this protocol.
    func matches(_ bytes: RawSpan) -> WireMatch

    /// The services that clients of this wire expect of each server, unless the application has one of
    /// the same name. Default: none.
    func services(_ server: WireServices) -> [any RPCService]

    /// Creates the handler of a connection. On the connection's loop.
    ///
    /// - Parameter rpc: the connection's side of calls. The handler is its transport: passes it the
    ///   events of one, and takes the frames that it sends.
    func makeHandler(
        for rpc: any TransportHandler, settings: WireSettings, on reactor: Reactor
    ) -> any TransportHandler

    /// Its form over HTTP/1.1, for listeners of that; nil, the default: there is none.
    var http1: (any HTTP1Wire)? { get }
}

@_spi(Transport) extension WireProtocol {
    /// None.
    public func services(_ server: WireServices) -> [any RPCService] { [] }
    /// None.
    public var http1: (any HTTP1Wire)? { nil }
}

/// A wire over HTTP/1.1, on listeners that have no other. Any thread.
@_spi(Transport) public protocol HTTP1Wire: Sendable {
    /// Creates the handler of a connection, as `WireProtocol.makeHandler`.
    func makeHTTP1Handler(
        for rpc: any TransportHandler, settings: WireSettings, http: HTTP1Settings,
        on reactor: Reactor
    ) -> any TransportHandler
}

/// The limits of a listener for HTTP/1.1 that its wire has to respect. A value.
@_spi(Transport) public struct HTTP1Settings: Sendable {
    /// The longest time from the first byte of a request to its last one.
    public var requestTimeout: Duration
    /// How long a connection may be without a request.
    public var idleTimeout: Duration
    /// The names that requests may have in Host, in lower case: `RPCHTTPConfiguration.hosts`.
    public var hosts: [String]

    /// Creates the limits.
    public init(requestTimeout: Duration, idleTimeout: Duration, hosts: [String]) {
        self.requestTimeout = requestTimeout
        self.idleTimeout = idleTimeout
        self.hosts = hosts
    }
}

/// What a server tells of itself, in the form of its own services.
@_spi(Transport) public struct WireServices: Sendable {
    /// Nil: the server does not tell its health.
    public let health: RPCHealth?
    /// Nil: the server does not tell its services.
    public let reflection: ReflectionSource?
}

/// What the first bytes of a connection say.
@_spi(Transport) public enum WireMatch: Sendable {
    case yes
    case no
    /// So far the bytes match, but are too few.
    case needMore
}

/// The limits of a server or a channel that another wire has to respect, too.
@_spi(Transport) public struct WireSettings: Sendable {
    /// The codec of the RPC side, whose frames are what the other wire is translated to: the largest
    /// frame is nearly the largest message.
    public let codec: TinyPBCodec
    /// Of a server: the kind of the method of that full name; nil: there is none. Any thread.
    public let methodKind: @Sendable (RawSpan) -> RPCMethodKind?
    /// Of a server that serves JSON: the types of the messages of the method of that full name, for
    /// wires that have messages in other forms than Protobuf's; nil: there is no such method. Any
    /// thread. Nil where the server serves no JSON.
    public let messageTypes: (@Sendable (RawSpan) -> MessageTypes?)?
    /// Limits on streams.
    public let streams: RPCStreamLimits
    /// Receives log lines.
    public let logger: RocketLogger
}

/// The types of a method's messages, by which a wire makes JSON of Protobuf and back. A value; any thread.
@_spi(Transport) public struct MessageTypes: Sendable {
    /// That of its requests.
    public let request: any Message.Type
    /// That of its responses.
    public let response: any Message.Type

    /// Creates the types of a method.
    public init(request: any Message.Type, response: any Message.Type) {
        self.request = request
        self.response = response
    }
}

/// Another wire that a server speaks beside TinyPB, on the same listeners: gRPC, of the product
/// RocketGRPC.
public struct RPCWireProtocol: Sendable {
    let wire: any WireProtocol

    /// Wraps the implementation.
    @_spi(Transport) public init(_ wire: any WireProtocol) { self.wire = wire }
}

/// The wire of a channel: TinyPB, or gRPC of the product RocketGRPC.
public struct RPCChannelProtocol: Sendable {
    /// Wraps the connector of the transport; nil: TinyPB.
    let wrap: (@Sendable (any Connector, WireSettings) -> any Connector)?
    /// The protocols of ALPN that connections with TLS offer, best first: for the `security` of a
    /// channel that is made in code. A configuration's stubs have them.
    public let applicationProtocols: [String]

    /// Creates a wire from what translates it.
    @_spi(Transport) public init(
        applicationProtocols: [String] = ["rocket/1"],
        _ wrap: @escaping @Sendable (any Connector, WireSettings) -> any Connector
    ) {
        self.applicationProtocols = applicationProtocols
        self.wrap = wrap
    }

    private init() {
        wrap = nil
        applicationProtocols = ["rocket/1"]
    }

    /// TinyPB, the default.
    public static let tinyPB = RPCChannelProtocol()

    /// The connectors of a channel, with this wire.
    func wrapping(
        _ connector: @escaping @Sendable (RPCEndpoint) -> any Connector,
        _ configuration: RPCChannelConfiguration, _ logger: RocketLogger
    ) -> @Sendable (RPCEndpoint) -> any Connector {
        guard let wrap else { return connector }
        let settings = WireSettings(
            codec: configuration.codec, methodKind: { _ in nil }, messageTypes: nil,
            streams: configuration.streams, logger: logger)
        return { wrap(connector($0), settings) }
    }
}
