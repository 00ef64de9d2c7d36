public import RocketCodec
public import RocketTCP

/// How a server behaves and where its limits are. `RPCServer(config:)` fills it from a
/// `RocketConfig`.
public struct RPCServerConfiguration: Sendable {
    /// Listeners, connections, time-outs and buffers.
    public var tcp: TCPServerConfiguration
    /// Sub reactors. 1 to 1024; default 1.
    public var ioThreads = 1
    /// Frame limit and checksums.
    public var codec = TinyPBCodec()
    /// Calls that may run at the same time on one connection; the next is answered with
    /// RESOURCE_EXHAUSTED. At least 1; default 4096.
    public var maxCallsPerConnection = 4096
    /// Calls whose handlers may wait at the same time, on all connections together; the next is
    /// answered with RESOURCE_EXHAUSTED. At least 1; default 65,536.
    public var maxCalls = 65_536
    /// A callback that holds a loop up for this long is logged. Default 100 ms; nil: none.
    public var slowCallback: Duration? = .milliseconds(100)
    /// How long running calls may take to finish once the server drains. Default 10 seconds.
    public var drainTimeout = Duration.seconds(10)

    /// The defaults, and where to listen.
    public init(tcp: TCPServerConfiguration) { self.tcp = tcp }
}
