public import RocketCodec
public import RocketSystemd
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
    /// Calls in flight, sizes of messages, how long handlers may run.
    public var limits = RPCCallLimits()
    /// A callback that holds a loop up for this long is logged. Default 100 ms; nil: none.
    public var slowCallback: Duration? = .milliseconds(100)
    /// How long running calls may take to finish once the server drains. Default 10 seconds.
    public var drainTimeout = Duration.seconds(10)
    /// The service manager, which is told when the server is ready, what it does and when it stops,
    /// and whose watchdog asks the server's loops. Default nil: nobody is told.
    public var systemd: SystemdReporter?
    /// Whether `rocket.Health` is served. Default true.
    public var health = true
    /// Whether `rocket.Reflection` is served: whoever can connect can ask. Default false.
    public var reflection = false

    /// The defaults, and where to listen.
    public init(tcp: TCPServerConfiguration) { self.tcp = tcp }
}
