/// Limits on the streams of each connection of a server or a channel.
public struct RPCStreamLimits: Hashable, Sendable {
    /// The maximum number of streaming calls on one connection of a server; further calls fail with
    /// RESOURCE_EXHAUSTED. At least 1; default 1024.
    public var maxPerConnection = 1024
    /// How many bytes of messages the peer of a stream may send before they are read. At least
    /// 1024; default 256 KiB. A single message may be larger.
    public var windowBytes = 256 << 10
    /// How many bytes of messages the peer may send on all streams of a connection before they are
    /// read. At least 1 MiB, which is what each peer begins with; default 1 MiB.
    public var connectionWindowBytes = 1 << 20
    /// After this time without a message in either direction a server ends the call with
    /// ERROR_RPC_CALL_TIMEOUT. Default 1 hour; zero: never.
    public var idleTimeout = Duration.seconds(3600)

    /// The defaults.
    public init() {}

    /// The windows, at least as large as documented.
    var validWindowBytes: Int { max(1024, windowBytes) }
    var validConnectionWindowBytes: Int {
        max(Int(StreamFrame.initialConnectionLimit), connectionWindowBytes)
    }
}

/// How many messages a method takes and returns.
public enum RPCMethodKind: String, Hashable, Sendable {
    /// One request, one response.
    case unary
    /// A stream of requests, one response.
    case clientStreaming
    /// One request, a stream of responses.
    case serverStreaming
    /// A stream of requests and a stream of responses.
    case bidirectionalStreaming

    /// Whether the caller sends a stream.
    var hasRequestStream: Bool { self == .clientStreaming || self == .bidirectionalStreaming }
    /// Whether the server sends a stream.
    var hasResponseStream: Bool { self == .serverStreaming || self == .bidirectionalStreaming }
}
