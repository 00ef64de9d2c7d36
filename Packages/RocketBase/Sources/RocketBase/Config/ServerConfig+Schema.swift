extension ServerConfig {
    /// The schema of the `server` element.
    public static let schema = ConfigSchema<Self>(
        "server", "Addresses and limits of the server.",
        listening + limits + callLimits + services,
        elements: [
            .init(\.tls, .restart), .init(\.listeners, id: \.address, "address", .restart),
            .init(\.http, .restart),
            .init(\.overload, .live, isAlwaysListed: true),
            .init(\.flightRecorder, .restart),
            .init(\.registration, .restart),
        ]
    ) { server in
        if server.listeners.count > 64 { return "there are more than 64 listener elements" }
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
        .init("ip", \.ip, .ipAddress, .restart, "The IP address that the server listens on."),
        .init(
            "port", \.port, .integer(0...65_535), .restart,
            "The TCP port that the server listens on. 0: the kernel selects a free port."),
        .init(
            "listen", \.listen, .list(of: .listenAddress, count: 0...64), .restart,
            "All addresses that the server listens on, in place of ip and port. Empty: those of "
                + "the listener elements, or else ip and port. A host is looked up at start, by the "
                + "system's resolver; all its addresses of both families are listened on. "
                + "unix:@NAME is open to all users of the machine."),
        .init(
            "unix_mode", \.unixMode, .fileMode, .restart,
            "The permissions of the files of unix:PATH, whatever the umask. Users with write "
                + "permission can connect."),
        .init(
            "io_threads", \.ioThreads, .integer(1...1024), .restart,
            "The number of sub reactors: threads with an event loop that serve connections."),
        .init(
            "busy_wait_us", \.busyWaitMicroseconds, .integer(0...1000), .restart,
            "How long a sub reactor looks for events before it sleeps, in us, if the last event came "
                + "as soon. Its thread uses a core meanwhile; calls that follow one another find it "
                + "awake. 0: it sleeps at once."),
        .init(
            "balance_connections", \.balancesConnections, .boolean, .restart,
            "Whether connections move from a sub reactor that is busy to one that is not, between two "
                + "calls: plaintext ones that speak TinyPB. A sub reactor that is busy with one "
                + "connection keeps it."),
    ]

    private static let callLimits: [ConfigField<Self>] = [
        .init(
            "max_request_bytes", \.maxRequestBytes, .bytes(0...1_073_741_824), .restart,
            "The largest serialized request. A larger one is rejected with RESOURCE_EXHAUSTED, and "
                + "its handler does not run. 0: limited by the frame only."),
        .init(
            "max_response_bytes", \.maxResponseBytes, .bytes(0...1_073_741_824), .restart,
            "The largest serialized response. A larger one is replaced by RESOURCE_EXHAUSTED. "
                + "0: limited by the frame only."),
        .init(
            "max_handler_time_ms", \.maxHandlerTime, .milliseconds(0...86_400_000), .restart,
            "The longest run time of a handler, independent of the caller's deadline. Afterwards "
                + "the call ends with ERROR_RPC_CALL_TIMEOUT, and the handler is cancelled. 0: limited "
                + "by the caller's deadline only."),
        .init(
            "method_limits", \.methodLimits, .list(of: .methodLimit, count: 0...1000), .restart,
            "Limits of single methods, in place of the three above. 0 removes a limit."),
    ]

    private static let services: [ConfigField<Self>] = [
        .init(
            "health", \.health, .boolean, .restart,
            "Whether the server offers rocket.Health, which reports the services that can be "
                + "called."
        ),
        .init(
            "reflection", \.reflection, .boolean, .restart,
            "Whether the server offers rocket.Reflection, which lists its services, methods and "
                + "messages. Every client that can connect, and that authorization allows, can "
                + "read the list."),
        .init(
            "report_load", \.reportsLoad, .boolean, .restart,
            "Whether replies tell clients how busy the server is, at most every 100 ms on a "
                + "connection: channels with the balancing policy weighted go by it. See "
                + "docs/wire-format.md, \"Load\"."),
        .init(
            "authorization", \.authorization, .authorization, .live,
            "Who may call what: the first rule that matches decides, and what no rule matches is "
                + "denied. Health checks need a rule, too: allow rocket.Health.* to *. See "
                + "docs/guides/operations.md, \"Who may call what\". Without rules every caller may call "
                + "every method."),
    ]

    private static let limits: [ConfigField<Self>] = [
        .init(
            "max_connections", \.maxConnections, .integer(1...10_000_000), .restart,
            "The largest number of connections. Further ones are closed at once."),
        .init(
            "max_connections_per_peer", \.maxConnectionsPerPeer, .integer(0...10_000_000), .restart,
            "The largest number of connections from one peer: an IPv4 address, an IPv6 network of "
                + "64 bits, or all Unix sockets together. 0: a quarter of max_connections, but 16 at "
                + "least. Behind a proxy, which is one peer, set it to max_connections."),
        .init(
            "memory_budget_bytes", \.memoryBudgetBytes, .bytes(0...1_099_511_627_776), .restart,
            "The memory for the data of all connections. When it is used up, the connections that "
                + "hold most for longest without progress are closed. 0: 4/9 of what 32 MiB leave "
                + "of the memory that the process may use, which is the lowest limit of its control "
                + "groups, or what the machine has available at the start; an eighth of it at "
                + "least. A warning is logged for more than 8/9 of what 32 MiB leave."),
        .init(
            "idle_timeout_ms", \.idleTimeout, .milliseconds(0...86_400_000), .restart,
            "A connection without traffic for this time is closed. 0: no limit."),
        .init(
            "handshake_timeout_ms", \.handshakeTimeout, .milliseconds(1...3_600_000), .restart,
            "The longest time from the connect to the end of the TLS handshake."),
        .init(
            "handshake_threads", \.handshakeThreads, .integer(1...1024), .restart,
            "The number of threads for the handshakes of TLS. Peers take turns on them."),
        .init(
            "max_connection_age_ms", \.maxConnectionAge, .milliseconds(0...2_592_000_000), .restart,
            "The age at which a connection ends, 10 % more or less: its client is told to open "
                + "another one, and has max_connection_age_grace_ms to leave. 0: no limit."),
        .init(
            "max_connection_age_grace_ms", \.maxConnectionAgeGrace, .milliseconds(0...86_400_000),
            .restart,
            "How long a client may stay on a connection that is too old. Afterwards it is closed, "
                + "with its calls."),
        .init(
            "max_frame_bytes", \.maxFrameBytes, .bytes(64...1_073_741_824), .restart,
            "The largest frame that is received or sent. A larger request is rejected with "
                + "RESOURCE_EXHAUSTED, a larger reply is replaced by an error. The limits on the "
                + "buffers of a connection follow."),
        .init(
            "max_in_flight_per_connection", \.maxInFlightPerConnection, .integer(1...1_000_000),
            .live,
            "The largest number of calls in flight per connection. Further calls are rejected with "
                + "RESOURCE_EXHAUSTED."),
        .init(
            "max_in_flight", \.maxInFlight, .integer(1...10_000_000), .live,
            "The largest number of suspended calls of the server: calls whose handler awaits "
                + "something. Further calls are rejected with RESOURCE_EXHAUSTED."),
        .init(
            "max_watches_per_connection", \.maxWatchesPerConnection, .integer(1...1_000_000),
            .live,
            "The largest number of rocket.Health.watch calls that wait per connection. They do not "
                + "count as calls in flight. Further ones are rejected with RESOURCE_EXHAUSTED."),
        .init(
            "max_watches", \.maxWatches, .integer(1...10_000_000), .live,
            "The largest number of rocket.Health.watch calls that wait on the server. Further ones "
                + "are rejected with RESOURCE_EXHAUSTED."),
        .init(
            "max_streams_per_connection", \.maxStreamsPerConnection, .integer(1...1_000_000),
            .restart,
            "The largest number of streaming calls per connection. Further ones are rejected with "
                + "RESOURCE_EXHAUSTED."),
        .init(
            "stream_window_bytes", \.streamWindowBytes, .bytes(1024...1_073_741_824), .restart,
            "How many bytes of messages a client may send on a stream before they are read."),
        .init(
            "connection_window_bytes", \.connectionWindowBytes, .bytes(1_048_576...4_294_967_296),
            .restart,
            "How many bytes of messages a client may send on all streams of a connection before "
                + "they are read."),
        .init(
            "stream_idle_timeout_ms", \.streamIdleTimeout, .milliseconds(0...86_400_000), .restart,
            "A streaming call without a message for this time ends with ERROR_RPC_CALL_TIMEOUT. "
                + "0: no limit."),
        .init(
            "low_water_mark_bytes", \.lowWaterMarkBytes, .bytes(0...1_073_741_824), .restart,
            "Reading from a connection resumes when it has at most this many unsent bytes."),
        .init(
            "high_water_mark_bytes", \.highWaterMarkBytes, .bytes(4096...1_073_741_824), .restart,
            "Reading from a connection pauses when it has more unsent bytes than this."),
        .init(
            "output_limit_bytes", \.outputLimitBytes, .bytes(4096...4_294_967_296), .restart,
            "A connection with more unsent bytes than this is closed: its peer does not read. At "
                + "least the largest frame, the high water mark and 1 MiB."),
        .init(
            "drain_timeout_ms", \.drainTimeout, .milliseconds(0...3_600_000), .live,
            "The longest time that calls in flight have to finish when the server stops."),
        .init(
            "slow_callback_ms", \.slowCallback, .milliseconds(0...60_000), .restart,
            "A callback that blocks its event loop for longer is logged. 0: none is logged."),
        .init(
            "grpc", \.grpc, GRPCPolicy.type, .restart,
            "gRPC on the same addresses: auto (served if the program contains RocketGRPC), on "
                + "(required), or off."),
        .init(
            "json", \.json, .boolean, .restart,
            "Whether the unary methods are served as JSON, too, where gRPC is: POST over HTTP/2, and "
                + "over HTTP/1.1 at the addresses of the element http, by Connect's protocol, for curl "
                + "and Connect's clients. See docs/guides/json.md."),
        .init(
            "checksum", \.checksum, ChecksumPolicy.type, .restart,
            "CRC32C of frames: off (neither sent nor checked, as C++ peers), send, or require (from "
                + "peers, too)."
        ),
    ]
}
