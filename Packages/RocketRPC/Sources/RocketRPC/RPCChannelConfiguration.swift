public import RocketCodec

/// How a channel behaves and where its limits are.
public struct RPCChannelConfiguration: Sendable {
    /// How long a call may take that names no time-out of its own. Default 2 seconds.
    public var timeout = Duration.seconds(2)
    /// How long connecting may take. Default 2 seconds.
    public var connectTimeout = Duration.seconds(2)
    /// Calls that may wait for replies at the same time; the next one fails at once with
    /// RESOURCE_EXHAUSTED. At least 1; default 65,536.
    public var maxCallsInFlight = 65_536
    /// Frame limit and checksums.
    public var codec = TinyPBCodec()
    /// Whether requests carry what is left of their deadlines. C++ servers ignore it; turn it off
    /// for those that can't take requests of 128 bytes or more. Default true.
    public var sendsDeadline = true

    /// The defaults.
    public init() {}
}
