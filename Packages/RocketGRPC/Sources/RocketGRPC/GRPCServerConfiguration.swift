public import RocketBase
public import RocketHTTP2

/// The settings and limits of gRPC on a server.
public struct GRPCServerConfiguration: Sendable {
    /// The limits of each HTTP/2 connection.
    public var http2 = HTTP2Configuration()
    /// How many bytes of responses of a stream may wait for a client that reads slowly; the handler
    /// waits then. At least 1024; default 64 KiB. A single message may be larger.
    public var responseWindowBytes = 64 << 10
    /// How many bytes of requests that have not been passed on as a whole a connection may hold: metadata,
    /// parts of messages, messages of streams that wait. A request
    /// that would exceed it is answered with RESOURCE_EXHAUSTED. Default 64 MiB.
    public var maxBufferedRequestBytes = 64 << 20
    /// How often a client with calls may ping. A client that does it more often, for the third time, is
    /// sent GOAWAY with ENHANCE_YOUR_CALM and `too_many_pings` (gRFC A8). Default 5 minutes.
    public var minPingInterval = Duration.seconds(300)
    /// Whether a client without calls may ping as often; otherwise every 2 hours. Default false.
    public var permitsPingsWithoutCalls = false
    /// How long a client may be silent before the server pings it. Default 2 hours, as gRPC's servers.
    public var keepaliveTime = Duration.seconds(7200)
    /// How long a client may take to answer a ping; then its connection is closed. Default 20 seconds.
    public var keepaliveTimeout = Duration.seconds(20)
    /// Compresses responses for clients that accept it, and decompresses requests. Default nil:
    /// neither; a compressed request is answered with UNIMPLEMENTED.
    public var compression: (any MessageCompression)?

    /// The defaults.
    public init() {}
}
