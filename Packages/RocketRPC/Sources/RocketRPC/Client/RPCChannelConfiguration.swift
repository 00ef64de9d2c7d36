public import RocketCodec
public import RocketTCP

/// How a channel behaves and where its limits are.
public struct RPCChannelConfiguration: Sendable {
    /// How long a call may take that names no time-out of its own. Default 2 seconds.
    public var timeout = Duration.seconds(2)
    /// How long connecting may take. Default 2 seconds.
    public var connectTimeout = Duration.seconds(2)
    /// The most connections. A further one is opened when all others have calls to carry. At
    /// least 1; default 1: all calls share one.
    public var poolSize = 1
    /// The waits between attempts to connect, all connections together. Default from 100 ms to
    /// 10 s.
    public var connectBackOff = BackOff()
    /// Whether calls wait while the server can't be reached, up to their deadlines, where they
    /// don't say otherwise. Default false: they fail at once.
    public var waitsForReady = false
    /// When calls are sent again.
    public var retry = RPCRetryPolicy()
    /// Calls that may wait for replies at the same time; the next one fails at once with
    /// RESOURCE_EXHAUSTED. At least 1; default 65,536.
    public var maxCallsInFlight = 65_536
    /// Calls that may wait to be sent, for a connection or because the one there is has too many
    /// bytes to send already (256 KiB); the next one fails at once with RESOURCE_EXHAUSTED. They
    /// are sent in their order, and hold nothing but their messages until then. At least 1;
    /// default 16,384.
    public var maxCallsWaiting = 16_384
    /// Frame limit and checksums.
    public var codec = TinyPBCodec()
    /// The largest request frame, in bytes; a larger one fails with ERROR_FAILED_ENCODE and is
    /// not sent. nil, the default: the codec's frame limit. For C++ servers, which never answer a
    /// first request of 128 bytes or more, 127.
    public var maxRequestBytes: Int?
    /// Whether requests carry what is left of their deadlines. C++ servers ignore it; turn it off
    /// for those that can't take requests of 128 bytes or more. Default true.
    public var sendsDeadline = true
    /// Whether a server is told of calls that were given up, by a request for `rocket.cancel`.
    /// C++ servers don't answer a service that they don't know, so it does no harm there.
    /// Default true.
    public var sendsCancel = true

    /// The defaults.
    public init() {}
}
