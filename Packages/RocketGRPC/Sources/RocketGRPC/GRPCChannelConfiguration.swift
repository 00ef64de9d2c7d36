public import RocketBase
public import RocketHTTP2

/// The settings and limits of gRPC on a channel.
public struct GRPCChannelConfiguration: Sendable {
    /// The limits of each HTTP/2 connection.
    public var http2 = HTTP2Configuration()
    /// The value of `:authority`: the name of the server for virtual hosts and proxies. Default nil:
    /// the address that is connected to; `localhost` for a Unix socket.
    public var authority: String?
    /// What precedes this package's own part in the field `user-agent`. Default nil: nothing.
    public var userAgent: String?
    /// How many bytes of requests of a stream may wait for a server that reads slowly; its writer
    /// waits then. At least 1024; default 64 KiB. A single message may be larger.
    public var requestWindowBytes = 64 << 10
    /// How long a server may be silent before it is pinged, while there are calls. It must permit that
    /// (gRFC A8), or it ends the connection; the time is doubled then. Default nil: never.
    public var keepaliveTime: Duration?
    /// How long a server may take to answer a ping; then the connection is closed. Default 20 seconds.
    public var keepaliveTimeout = Duration.seconds(20)
    /// Whether a server is pinged without calls, too. Default false.
    public var pingsWithoutCalls = false
    /// Decompresses responses. Default nil: the server is asked not to compress.
    public var compression: (any MessageCompression)?
    /// Whether requests are compressed, by the first encoding of `compression`; a server that does not
    /// know it answers with UNIMPLEMENTED. Default false.
    public var compressesRequests = false

    /// The defaults.
    public init() {}
}
