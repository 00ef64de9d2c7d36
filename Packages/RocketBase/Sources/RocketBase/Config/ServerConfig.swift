/// What the server listens on, and its limits.
public struct ServerConfig: ConfigSection, Hashable {
    public var ip = "127.0.0.1"
    public var port = 12_345
    public var listen: [String] = []
    public var ioThreads = 4
    public var maxConnections = 10_000
    public var maxConnectionsPerPeer = 10_000
    public var idleTimeout = Duration.milliseconds(600_000)
    public var maxFrameBytes = 4 * 1024 * 1024
    public var maxInFlightPerConnection = 1024
    public var maxInFlight = 65_536
    public var lowWaterMarkBytes = 256 * 1024
    public var highWaterMarkBytes = 1024 * 1024
    public var outputLimitBytes = 64 * 1024 * 1024
    public var drainTimeout = Duration.milliseconds(10_000)
    public var slowCallback = Duration.milliseconds(100)
    public var checksum = ChecksumPolicy.off

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
        "server", "What the server listens on, and its limits.", listening + limits
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

    private static let limits: [ConfigField<Self>] = [
        .init(
            "max_connections", \.maxConnections, .integer(1...10_000_000), .live,
            "Connections at a time; beyond it new ones are closed at once."),
        .init(
            "max_connections_per_peer", \.maxConnectionsPerPeer, .integer(1...10_000_000), .live,
            "Connections at a time from one IP address."),
        .init(
            "idle_timeout_ms", \.idleTimeout, .milliseconds(0...86_400_000), .live,
            "A connection on which nothing moves for that long is closed; 0 keeps it."),
        .init(
            "max_frame_bytes", \.maxFrameBytes, .bytes(64...1_073_741_824), .live,
            "The largest frame that is taken or sent; a larger one breaks the connection."),
        .init(
            "max_in_flight_per_connection", \.maxInFlightPerConnection, .integer(1...1_000_000),
            .live,
            "Calls of one connection that may be under way; beyond it nothing more is read."),
        .init(
            "max_in_flight", \.maxInFlight, .integer(1...10_000_000), .live,
            "Calls of the whole server that may be under way; beyond it a call is answered "
                + "with UNAVAILABLE."),
        .init(
            "low_water_mark_bytes", \.lowWaterMarkBytes, .bytes(0...1_073_741_824), .live,
            "A connection that was too full is written to again when so much is left unsent."),
        .init(
            "high_water_mark_bytes", \.highWaterMarkBytes, .bytes(4096...1_073_741_824), .live,
            "A connection with more bytes unsent than this is not read from until it drained."),
        .init(
            "output_limit_bytes", \.outputLimitBytes, .bytes(4096...4_294_967_296), .live,
            "A connection with more bytes unsent than this is closed: its peer does not read."),
        .init(
            "drain_timeout_ms", \.drainTimeout, .milliseconds(0...3_600_000), .live,
            "How long calls under way may take to finish when the server is told to stop."),
        .init(
            "slow_callback_ms", \.slowCallback, .milliseconds(0...60_000), .live,
            "A callback that holds its loop up for longer is logged; 0 logs none."),
        .init(
            "checksum", \.checksum, ChecksumPolicy.type, .live,
            "Whether frames bear a CRC32C and have to: off as C++ peers do, send, or require."),
    ]
}
