/// Addresses and limits of the server.
public struct ServerConfig: ConfigSection, Hashable {
    /// The IP address that the server listens on.
    ///
    /// `server/ip`: A numeric IPv4 or IPv6 address, such as 127.0.0.1 or ::1. Default
    /// 127.0.0.1. Needs a restart.
    public var ip = "127.0.0.1"
    /// The TCP port that the server listens on. 0: the kernel selects a free port.
    ///
    /// `server/port`: A whole number, 0 to 65535. Default 12345. Needs a restart.
    public var port = 12_345
    /// All addresses that the server listens on, in place of ip and port. Empty: those of the
    /// listener elements, or else ip and port. A host is looked up at start, by the system's
    /// resolver; all its addresses of both families are listened on. unix:@NAME is open to all
    /// users of the machine.
    ///
    /// `server/listen`: 0 to 64 values, separated by commas; each IP:PORT, [IPv6]:PORT,
    /// HOST:PORT, unix:PATH or unix:@NAME (up to 107 bytes). Default none. Needs a restart.
    public var listen: [String] = []
    /// The permissions of the files of unix:PATH, whatever the umask. Users with write
    /// permission can connect.
    ///
    /// `server/unix_mode`: Permissions of 3 or 4 octal digits, 000 to 0777. Default 0600. Needs
    /// a restart.
    public var unixMode: UInt32 = 0o600
    /// The number of sub reactors: threads with an event loop that serve connections.
    ///
    /// `server/io_threads`: A whole number, 1 to 1024. Default 4. Needs a restart.
    public var ioThreads = 4
    /// How long a sub reactor looks for events before it sleeps, in us, if the last event came
    /// as soon. Its thread uses a core meanwhile; calls that follow one another find it awake.
    /// 0: it sleeps at once.
    ///
    /// `server/busy_wait_us`: A whole number, 0 to 1000. Default 0. Needs a restart.
    public var busyWaitMicroseconds = 0
    /// Whether connections move from a sub reactor that is busy to one that is not, between two
    /// calls: plaintext ones that speak TinyPB. A sub reactor that is busy with one connection
    /// keeps it.
    ///
    /// `server/balance_connections`: True or false. Default true. Needs a restart.
    public var balancesConnections = true
    /// The largest number of connections. Further ones are closed at once.
    ///
    /// `server/max_connections`: A whole number, 1 to 10000000. Default 10000. Needs a restart.
    public var maxConnections = 10_000
    /// The largest number of connections from one peer: an IPv4 address, an IPv6 network of 64
    /// bits, or all Unix sockets together. 0: a quarter of max_connections, but 16 at least.
    /// Behind a proxy, which is one peer, set it to max_connections.
    ///
    /// `server/max_connections_per_peer`: A whole number, 0 to 10000000. Default 0. Needs a
    /// restart.
    public var maxConnectionsPerPeer = 0
    /// The memory for the data of all connections. When it is used up, the connections that
    /// hold most for longest without progress are closed. 0: 4/9 of what 32 MiB leave of the
    /// memory that the process may use, which is the lowest limit of its control groups, or
    /// what the machine has available at the start; an eighth of it at least. A warning is
    /// logged for more than 8/9 of what 32 MiB leave.
    ///
    /// `server/memory_budget_bytes`: A whole number of bytes, 0 to 1099511627776. Default 0
    /// bytes. Needs a restart.
    public var memoryBudgetBytes = 0
    /// A connection without traffic for this time is closed. 0: no limit.
    ///
    /// `server/idle_timeout_ms`: A whole number of ms, 0 to 86400000. Default 600000 ms. Needs
    /// a restart.
    public var idleTimeout = Duration.milliseconds(600_000)
    /// The longest time from the connect to the end of the TLS handshake.
    ///
    /// `server/handshake_timeout_ms`: A whole number of ms, 1 to 3600000. Default 10000 ms.
    /// Needs a restart.
    public var handshakeTimeout = Duration.milliseconds(10_000)
    /// The number of threads for the handshakes of TLS. Peers take turns on them.
    ///
    /// `server/handshake_threads`: A whole number, 1 to 1024. Default 1. Needs a restart.
    public var handshakeThreads = 1
    /// The age at which a connection ends, 10 % more or less: its client is told to open
    /// another one, and has max_connection_age_grace_ms to leave. 0: no limit.
    ///
    /// `server/max_connection_age_ms`: A whole number of ms, 0 to 2592000000. Default 0 ms.
    /// Needs a restart.
    public var maxConnectionAge = Duration.zero
    /// How long a client may stay on a connection that is too old. Afterwards it is closed,
    /// with its calls.
    ///
    /// `server/max_connection_age_grace_ms`: A whole number of ms, 0 to 86400000. Default
    /// 300000 ms. Needs a restart.
    public var maxConnectionAgeGrace = Duration.milliseconds(300_000)
    /// The largest frame that is received or sent. A larger request is rejected with
    /// RESOURCE_EXHAUSTED, a larger reply is replaced by an error. The limits on the buffers of
    /// a connection follow.
    ///
    /// `server/max_frame_bytes`: A whole number of bytes, 64 to 1073741824. Default 4194304
    /// bytes. Needs a restart.
    public var maxFrameBytes = 4 * 1024 * 1024
    /// The largest number of calls in flight per connection. Further calls are rejected with
    /// RESOURCE_EXHAUSTED.
    ///
    /// `server/max_in_flight_per_connection`: A whole number, 1 to 1000000. Default 1024.
    /// Changes live.
    public var maxInFlightPerConnection = 1024
    /// The largest number of suspended calls of the server: calls whose handler awaits
    /// something. Further calls are rejected with RESOURCE_EXHAUSTED.
    ///
    /// `server/max_in_flight`: A whole number, 1 to 10000000. Default 65536. Changes live.
    public var maxInFlight = 65_536
    /// The largest number of rocket.Health.watch calls that wait per connection. They do not
    /// count as calls in flight. Further ones are rejected with RESOURCE_EXHAUSTED.
    ///
    /// `server/max_watches_per_connection`: A whole number, 1 to 1000000. Default 16. Changes
    /// live.
    public var maxWatchesPerConnection = 16
    /// The largest number of rocket.Health.watch calls that wait on the server. Further ones
    /// are rejected with RESOURCE_EXHAUSTED.
    ///
    /// `server/max_watches`: A whole number, 1 to 10000000. Default 4096. Changes live.
    public var maxWatches = 4096
    /// The largest number of streaming calls per connection. Further ones are rejected with
    /// RESOURCE_EXHAUSTED.
    ///
    /// `server/max_streams_per_connection`: A whole number, 1 to 1000000. Default 1024. Needs a
    /// restart.
    public var maxStreamsPerConnection = 1024
    /// How many bytes of messages a client may send on a stream before they are read.
    ///
    /// `server/stream_window_bytes`: A whole number of bytes, 1024 to 1073741824. Default
    /// 262144 bytes. Needs a restart.
    public var streamWindowBytes = 256 * 1024
    /// How many bytes of messages a client may send on all streams of a connection before they
    /// are read.
    ///
    /// `server/connection_window_bytes`: A whole number of bytes, 1048576 to 4294967296.
    /// Default 1048576 bytes. Needs a restart.
    public var connectionWindowBytes = 1024 * 1024
    /// A streaming call without a message for this time ends with ERROR_RPC_CALL_TIMEOUT. 0: no
    /// limit.
    ///
    /// `server/stream_idle_timeout_ms`: A whole number of ms, 0 to 86400000. Default 3600000
    /// ms. Needs a restart.
    public var streamIdleTimeout = Duration.milliseconds(3_600_000)
    /// The largest serialized request. A larger one is rejected with RESOURCE_EXHAUSTED, and
    /// its handler does not run. 0: limited by the frame only.
    ///
    /// `server/max_request_bytes`: A whole number of bytes, 0 to 1073741824. Default 0 bytes.
    /// Needs a restart.
    public var maxRequestBytes = 0
    /// The largest serialized response. A larger one is replaced by RESOURCE_EXHAUSTED. 0:
    /// limited by the frame only.
    ///
    /// `server/max_response_bytes`: A whole number of bytes, 0 to 1073741824. Default 0 bytes.
    /// Needs a restart.
    public var maxResponseBytes = 0
    /// The longest run time of a handler, independent of the caller's deadline. Afterwards the
    /// call ends with ERROR_RPC_CALL_TIMEOUT, and the handler is cancelled. 0: limited by the
    /// caller's deadline only.
    ///
    /// `server/max_handler_time_ms`: A whole number of ms, 0 to 86400000. Default 300000 ms.
    /// Needs a restart.
    public var maxHandlerTime = Duration.milliseconds(300_000)
    /// Limits of single methods, in place of the three above. 0 removes a limit.
    ///
    /// `server/method_limits`: 0 to 1000 values, separated by commas; each Service.method,
    /// followed by max_request_bytes=N, max_response_bytes=N or max_handler_time_ms=N,
    /// separated by blanks. Default none. Needs a restart.
    public var methodLimits: [MethodLimitConfig] = []
    /// Reading from a connection resumes when it has at most this many unsent bytes.
    ///
    /// `server/low_water_mark_bytes`: A whole number of bytes, 0 to 1073741824. Default 262144
    /// bytes. Needs a restart.
    public var lowWaterMarkBytes = 256 * 1024
    /// Reading from a connection pauses when it has more unsent bytes than this.
    ///
    /// `server/high_water_mark_bytes`: A whole number of bytes, 4096 to 1073741824. Default
    /// 1048576 bytes. Needs a restart.
    public var highWaterMarkBytes = 1024 * 1024
    /// A connection with more unsent bytes than this is closed: its peer does not read. At
    /// least the largest frame, the high water mark and 1 MiB.
    ///
    /// `server/output_limit_bytes`: A whole number of bytes, 4096 to 4294967296. Default
    /// 67108864 bytes. Needs a restart.
    public var outputLimitBytes = 64 * 1024 * 1024
    /// The longest time that calls in flight have to finish when the server stops.
    ///
    /// `server/drain_timeout_ms`: A whole number of ms, 0 to 3600000. Default 10000 ms. Changes
    /// live.
    public var drainTimeout = Duration.milliseconds(10_000)
    /// A callback that blocks its event loop for longer is logged. 0: none is logged.
    ///
    /// `server/slow_callback_ms`: A whole number of ms, 0 to 60000. Default 100 ms. Needs a
    /// restart.
    public var slowCallback = Duration.milliseconds(100)
    /// CRC32C of frames: off (neither sent nor checked, as C++ peers), send, or require (from
    /// peers, too).
    ///
    /// `server/checksum`: One of off, send, require. Default off. Needs a restart.
    public var checksum = ChecksumPolicy.off
    /// gRPC on the same addresses: auto (served if the program contains RocketGRPC), on
    /// (required), or off.
    ///
    /// `server/grpc`: One of auto, on, off. Default auto. Needs a restart.
    public var grpc = GRPCPolicy.auto
    /// Whether the unary methods are served as JSON, too, where gRPC is: POST over HTTP/2, and
    /// over HTTP/1.1 at the addresses of the element http, by Connect's protocol, for curl and
    /// Connect's clients. See docs/guides/json.md.
    ///
    /// `server/json`: True or false. Default true. Needs a restart.
    public var json = true
    /// Whether the server offers rocket.Health, which reports the services that can be called.
    ///
    /// `server/health`: True or false. Default true. Needs a restart.
    public var health = true
    /// Whether the server offers rocket.Reflection, which lists its services, methods and
    /// messages. Every client that can connect, and that authorization allows, can read the
    /// list.
    ///
    /// `server/reflection`: True or false. Default false. Needs a restart.
    public var reflection = false
    /// Whether replies tell clients how busy the server is, at most every 100 ms on a
    /// connection: channels with the balancing policy weighted go by it. See
    /// docs/wire-format.md, "Load".
    ///
    /// `server/report_load`: True or false. Default false. Needs a restart.
    public var reportsLoad = false
    /// Who may call what: the first rule that matches decides, and what no rule matches is
    /// denied. Health checks need a rule, too: allow rocket.Health.* to *. See
    /// docs/guides/operations.md, "Who may call what". Without rules every caller may call
    /// every method.
    ///
    /// `server/authorization`: 0 to 512 elements named rule; each allow or deny, patterns of
    /// methods, to, patterns of callers, separated by blanks. Default none. Changes live.
    public var authorization: AuthorizationPolicy?

    /// TLS of all listeners on IP addresses that `listeners` does not describe; nil: they take
    /// plaintext.
    public var tls: ServerTLSConfig?
    /// Addresses with TLS of their own, or without.
    public var listeners: [ListenerConfig] = []
    /// Calls as JSON over HTTP/1.1; nil: there are none.
    public var http: HTTPConfig?
    /// Which calls are refused under overload; nil: none.
    public var overload: OverloadConfig?
    /// The file with the last calls and log lines; nil: none.
    public var flightRecorder: FlightRecorderConfig?
    /// The name that the server announces itself under; nil: none.
    public var registration: RegistrationConfig?

    /// All fields have their defaults.
    public init() {}

    /// The same with plaintext listeners: to check the rest without reading files.
    public var withoutTLS: ServerConfig {
        var server = self
        server.tls = nil
        server.http?.tls = nil
        for index in server.listeners.indices { server.listeners[index].tls = nil }
        return server
    }

    /// The addresses to listen on, each as `IP:PORT`, `[IPv6]:PORT` or `unix:PATH`: those of `listen`
    /// and of `listeners`; if there are none, `ip` and `port`.
    public var addresses: [String] {
        let all = listen + listeners.map(\.address).filter { !listen.contains($0) }
        return all.isEmpty ? [ConfigAddress.text(ip: ip, port: port)] : all
    }
}
