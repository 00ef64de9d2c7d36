/// What the server listens on, and its limits.
public struct ServerConfig: ConfigSection, Hashable {
    /// The address that the server listens on.
    ///
    /// `server/ip`: An IPv4 or IPv6 address in numbers, such as 127.0.0.1 or ::1. Default
    /// 127.0.0.1. Needs a restart.
    public var ip = "127.0.0.1"
    /// The TCP port that the server listens on; 0 lets the kernel pick a free one.
    ///
    /// `server/port`: A whole number, 0 to 65535. Default 12345. Needs a restart.
    public var port = 12_345
    /// All that the server listens on, instead of ip and port; empty means ip and port.
    ///
    /// `server/listen`: 0 to 64 values, with commas between them; each IP:PORT, [IPv6]:PORT,
    /// unix:PATH or unix:@NAME. Default none. Needs a restart.
    public var listen: [String] = []
    /// The number of sub reactors: threads that serve connections.
    ///
    /// `server/io_threads`: A whole number, 1 to 1024. Default 4. Needs a restart.
    public var ioThreads = 4
    /// Connections at a time; beyond it new ones are closed at once.
    ///
    /// `server/max_connections`: A whole number, 1 to 10000000. Default 10000. Needs a restart.
    public var maxConnections = 10_000
    /// Connections at a time from one IP address.
    ///
    /// `server/max_connections_per_peer`: A whole number, 1 to 10000000. Default 10000. Needs a
    /// restart.
    public var maxConnectionsPerPeer = 10_000
    /// A connection on which nothing moves for that long is closed; 0 keeps it.
    ///
    /// `server/idle_timeout_ms`: A whole number of ms, 0 to 86400000. Default 600000 ms. Needs
    /// a restart.
    public var idleTimeout = Duration.milliseconds(600_000)
    /// The largest frame that is taken or sent; a larger one breaks the connection.
    ///
    /// `server/max_frame_bytes`: A whole number of bytes, 64 to 1073741824. Default 4194304
    /// bytes. Needs a restart.
    public var maxFrameBytes = 4 * 1024 * 1024
    /// Calls of one connection that may be under way; beyond it a call is answered with
    /// RESOURCE_EXHAUSTED.
    ///
    /// `server/max_in_flight_per_connection`: A whole number, 1 to 1000000. Default 1024.
    /// Changes live.
    public var maxInFlightPerConnection = 1024
    /// Calls of the whole server whose handlers may wait; beyond it a call is answered with
    /// RESOURCE_EXHAUSTED.
    ///
    /// `server/max_in_flight`: A whole number, 1 to 10000000. Default 65536. Changes live.
    public var maxInFlight = 65_536
    /// The longest serialized request; a longer one is answered with RESOURCE_EXHAUSTED, and
    /// its handler does not run. 0: what a frame holds.
    ///
    /// `server/max_request_bytes`: A whole number of bytes, 0 to 1073741824. Default 0 bytes.
    /// Needs a restart.
    public var maxRequestBytes = 0
    /// The longest serialized response; in place of a longer one RESOURCE_EXHAUSTED is sent. 0:
    /// what a frame holds.
    ///
    /// `server/max_response_bytes`: A whole number of bytes, 0 to 1073741824. Default 0 bytes.
    /// Needs a restart.
    public var maxResponseBytes = 0
    /// How long a handler may run, whatever its caller's deadline; then the caller is answered
    /// with ERROR_RPC_CALL_TIMEOUT, and the handler is cancelled. 0: as long as the caller
    /// waits.
    ///
    /// `server/max_handler_time_ms`: A whole number of ms, 0 to 86400000. Default 300000 ms.
    /// Needs a restart.
    public var maxHandlerTime = Duration.milliseconds(300_000)
    /// Methods with limits of their own in place of the three above. 0 takes a limit away.
    ///
    /// `server/method_limits`: 0 to 1000 values, with commas between them; each Service.method
    /// and then max_request_bytes=N, max_response_bytes=N or max_handler_time_ms=N with blanks
    /// between them. Default none. Needs a restart.
    public var methodLimits: [MethodLimitConfig] = []
    /// A connection that was too full is written to again when so much is left unsent.
    ///
    /// `server/low_water_mark_bytes`: A whole number of bytes, 0 to 1073741824. Default 262144
    /// bytes. Needs a restart.
    public var lowWaterMarkBytes = 256 * 1024
    /// A connection with more bytes unsent than this is not read from until it drained.
    ///
    /// `server/high_water_mark_bytes`: A whole number of bytes, 4096 to 1073741824. Default
    /// 1048576 bytes. Needs a restart.
    public var highWaterMarkBytes = 1024 * 1024
    /// A connection with more bytes unsent than this is closed: its peer does not read.
    ///
    /// `server/output_limit_bytes`: A whole number of bytes, 4096 to 4294967296. Default
    /// 67108864 bytes. Needs a restart.
    public var outputLimitBytes = 64 * 1024 * 1024
    /// How long calls under way may take to finish when the server is told to stop.
    ///
    /// `server/drain_timeout_ms`: A whole number of ms, 0 to 3600000. Default 10000 ms. Changes
    /// live.
    public var drainTimeout = Duration.milliseconds(10_000)
    /// A callback that holds its loop up for longer is logged; 0 logs none.
    ///
    /// `server/slow_callback_ms`: A whole number of ms, 0 to 60000. Default 100 ms. Needs a
    /// restart.
    public var slowCallback = Duration.milliseconds(100)
    /// Whether frames bear a CRC32C and have to: off as C++ peers do, send, or require.
    ///
    /// `server/checksum`: One of off, send, require. Default off. Needs a restart.
    public var checksum = ChecksumPolicy.off
    /// Whether the server answers rocket.Health: which of its services can be called.
    ///
    /// `server/health`: True or false. Default true. Needs a restart.
    public var health = true
    /// Whether the server answers rocket.Reflection: which services, methods and messages it
    /// has. Whoever can connect can ask.
    ///
    /// `server/reflection`: True or false. Default false. Needs a restart.
    public var reflection = false

    /// Every field at its default.
    public init() {}

    /// What to listen on, each as `IP:PORT`, `[IPv6]:PORT` or `unix:PATH`: `listen` where it is
    /// given, else `ip` and `port`.
    public var addresses: [String] {
        listen.isEmpty ? [ConfigAddress.text(ip: ip, port: port)] : listen
    }
}

/// How the check_sum of TinyPB frames is used (docs: wire format).
public enum ChecksumPolicy: String, CaseIterable, Hashable, Sendable {
    /// Frames say that they are not checked, as those of C++ peers do.
    case off
    /// CRC32C is sent; received ones are verified where the peer sent any.
    case send
    /// CRC32C is sent, and a frame without it is refused.
    case require

    static let type = ConfigType.choice(of: Array(allCases)) { $0.rawValue }
}

extension ServerConfig {
    /// The `server` element.
    public static let schema = ConfigSchema<Self>(
        "server", "What the server listens on, and its limits.",
        listening + limits + callLimits + services
    ) { server in
        if server.lowWaterMarkBytes > server.highWaterMarkBytes {
            return "low_water_mark_bytes is greater than high_water_mark_bytes"
        }
        if server.highWaterMarkBytes > server.outputLimitBytes {
            return "high_water_mark_bytes is greater than output_limit_bytes"
        }
        if server.maxFrameBytes > server.outputLimitBytes {
            return "max_frame_bytes is greater than output_limit_bytes: such a reply can't be sent"
        }
        return nil
    }

    private static let listening: [ConfigField<Self>] = [
        .init("ip", \.ip, .ipAddress, .restart, "The address that the server listens on."),
        .init(
            "port", \.port, .integer(0...65_535), .restart,
            "The TCP port that the server listens on; 0 lets the kernel pick a free one."),
        .init(
            "listen", \.listen, .list(of: .address, count: 0...64), .restart,
            "All that the server listens on, instead of ip and port; empty means ip and port."),
        .init(
            "io_threads", \.ioThreads, .integer(1...1024), .restart,
            "The number of sub reactors: threads that serve connections."),
    ]

    private static let callLimits: [ConfigField<Self>] = [
        .init(
            "max_request_bytes", \.maxRequestBytes, .bytes(0...1_073_741_824), .restart,
            "The longest serialized request; a longer one is answered with RESOURCE_EXHAUSTED, and "
                + "its handler does not run. 0: what a frame holds."),
        .init(
            "max_response_bytes", \.maxResponseBytes, .bytes(0...1_073_741_824), .restart,
            "The longest serialized response; in place of a longer one RESOURCE_EXHAUSTED is sent. "
                + "0: what a frame holds."),
        .init(
            "max_handler_time_ms", \.maxHandlerTime, .milliseconds(0...86_400_000), .restart,
            "How long a handler may run, whatever its caller's deadline; then the caller is "
                + "answered with ERROR_RPC_CALL_TIMEOUT, and the handler is cancelled. 0: as long "
                + "as the caller waits."),
        .init(
            "method_limits", \.methodLimits, .list(of: .methodLimit, count: 0...1000), .restart,
            "Methods with limits of their own in place of the three above. 0 takes a limit away."),
    ]

    private static let services: [ConfigField<Self>] = [
        .init(
            "health", \.health, .boolean, .restart,
            "Whether the server answers rocket.Health: which of its services can be called."),
        .init(
            "reflection", \.reflection, .boolean, .restart,
            "Whether the server answers rocket.Reflection: which services, methods and messages it "
                + "has. Whoever can connect can ask."),
    ]

    private static let limits: [ConfigField<Self>] = [
        .init(
            "max_connections", \.maxConnections, .integer(1...10_000_000), .restart,
            "Connections at a time; beyond it new ones are closed at once."),
        .init(
            "max_connections_per_peer", \.maxConnectionsPerPeer, .integer(1...10_000_000), .restart,
            "Connections at a time from one IP address."),
        .init(
            "idle_timeout_ms", \.idleTimeout, .milliseconds(0...86_400_000), .restart,
            "A connection on which nothing moves for that long is closed; 0 keeps it."),
        .init(
            "max_frame_bytes", \.maxFrameBytes, .bytes(64...1_073_741_824), .restart,
            "The largest frame that is taken or sent; a larger one breaks the connection."),
        .init(
            "max_in_flight_per_connection", \.maxInFlightPerConnection, .integer(1...1_000_000),
            .live,
            "Calls of one connection that may be under way; beyond it a call is answered with "
                + "RESOURCE_EXHAUSTED."),
        .init(
            "max_in_flight", \.maxInFlight, .integer(1...10_000_000), .live,
            "Calls of the whole server whose handlers may wait; beyond it a call is answered "
                + "with RESOURCE_EXHAUSTED."),
        .init(
            "low_water_mark_bytes", \.lowWaterMarkBytes, .bytes(0...1_073_741_824), .restart,
            "A connection that was too full is written to again when so much is left unsent."),
        .init(
            "high_water_mark_bytes", \.highWaterMarkBytes, .bytes(4096...1_073_741_824), .restart,
            "A connection with more bytes unsent than this is not read from until it drained."),
        .init(
            "output_limit_bytes", \.outputLimitBytes, .bytes(4096...4_294_967_296), .restart,
            "A connection with more bytes unsent than this is closed: its peer does not read."),
        .init(
            "drain_timeout_ms", \.drainTimeout, .milliseconds(0...3_600_000), .live,
            "How long calls under way may take to finish when the server is told to stop."),
        .init(
            "slow_callback_ms", \.slowCallback, .milliseconds(0...60_000), .restart,
            "A callback that holds its loop up for longer is logged; 0 logs none."),
        .init(
            "checksum", \.checksum, ChecksumPolicy.type, .restart,
            "Whether frames bear a CRC32C and have to: off as C++ peers do, send, or require."),
    ]
}
