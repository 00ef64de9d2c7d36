public import RocketBase
public import RocketCodec
@_spi(Simulation) public import RocketReactor
public import RocketSystemd
public import RocketTCP

/// The settings and limits of a server. `RPCServer(config:)` creates it from a `RocketConfig`.
public struct RPCServerConfiguration: Sendable {
    /// Listeners, connections, time-outs and buffers.
    public var tcp: TCPServerConfiguration
    /// The number of sub reactors, each with its own thread. 1 to 1024; default 1.
    public var ioThreads = 1
    /// Frame limit and checksums.
    public var codec = TinyPBCodec()
    /// Limits on calls in flight, sizes of messages and run times of handlers.
    public var limits = RPCCallLimits()
    /// How long the loops of the sub reactors look for events before they sleep, if the last event came
    /// as soon: `EventLoopConfiguration.busyWait`. Default 0: they sleep at once.
    public var busyWait = Duration.zero
    /// A callback that blocks a loop for this long is logged. Default 100 ms; nil: none.
    public var slowCallback: Duration? = .milliseconds(100)
    /// The time in which running calls may finish once the server drains. Default 10 seconds.
    public var drainTimeout = Duration.seconds(10)
    /// How old a connection may get, 10 % more or less; nil, the default: there is no limit. An old
    /// one ends as in a drain, so that its client opens another one, with the certificates of now.
    public var maxConnectionAge: Duration?
    /// How long a client may stay on an old connection; after it the connection is closed, with its
    /// calls. Default 5 minutes.
    public var maxConnectionAgeGrace = Duration.seconds(300)
    /// Notifies the service manager when the server is ready, of its status and when it stops, and
    /// its watchdog while the server's loops respond. Default nil: no notifications.
    public var systemd: SystemdReporter?
    /// Whether `rocket.Health` is served. Default true.
    public var health = true
    /// Whether `rocket.Reflection` is served, to every client that can connect and that
    /// `authorization` allows. Default false.
    public var reflection = false
    /// Whether replies tell clients how busy the server is, for channels that balance by it
    /// (`weightedRoundRobin`) and for gRPC's clients. Default false. See docs/wire-format.md, "Load".
    public var reportsLoad = false
    /// Whether calls are recorded for `RPCServer.snapshot`: counts, latencies, sampled calls. Costs a
    /// call a few percent of its instructions. Default false; a server with `systemd` or a
    /// `flightRecorder` records always.
    public var collectsMetrics = false
    /// A call that took this long is kept as a slow one. Default 1 second; nil: none is slow. Only if
    /// calls are recorded.
    public var slowCall: Duration? = .seconds(1)
    /// One of so many calls is kept with what it spent its time on. Default 1,000; 0: none. Only if
    /// calls are recorded.
    public var callsPerSample = 1_000
    /// Records the last calls in a file that survives a crash. Calls are recorded for
    /// `RPCServer.snapshot`, too, then. Default nil: nothing does. One with fewer loops than
    /// `ioThreads` records the calls of so many only.
    public var flightRecorder: FlightRecorder?
    /// Checks the tokens that callers send with their calls. Default nil: tokens are ignored.
    public var authenticator: (any RPCAuthenticator)?
    /// Who may call what, `rocket.Health` and `rocket.Reflection` included: health checks need a
    /// rule, too. Default nil: every caller may call every method.
    public var authorization: AuthorizationPolicy?
    /// Further wires that the listeners serve beside TinyPB: a connection's first bytes, or ALPN,
    /// select its wire. Default none.
    public var protocols: [RPCWireProtocol] = []
    /// Whether wires over HTTP serve unary methods as JSON, too, by Connect's protocol: gRPC's does, on
    /// the same connections. Default true; without effect where no such wire is served.
    public var json = true
    /// Listeners for calls as JSON over HTTP/1.1, for which one of `protocols` must have a form over it:
    /// gRPC's has. Default nil: there are none.
    public var http: RPCHTTPConfiguration?
    /// Starts what drives the loops of the server; nil, the default: threads.
    @_spi(Simulation) public var makeThread: MakeLoopThread?

    /// Creates a configuration with the given listeners and defaults.
    public init(tcp: TCPServerConfiguration) { self.tcp = tcp }
}
