/// A server that this process calls, or several of them, with a name.
public struct StubConfig: ConfigSection, Hashable {
    /// The unique name of the server in this configuration. Required.
    ///
    /// `stubs/rpc_server/name`: 1 to 100 letters, digits, '.', '_' or '-', not beginning with
    /// '.'. Default none. Changes live.
    public var name = ""
    /// The IP address of the server.
    ///
    /// `stubs/rpc_server/ip`: A numeric IPv4 or IPv6 address, such as 127.0.0.1 or ::1. Default
    /// 127.0.0.1. Changes live.
    public var ip = "127.0.0.1"
    /// The TCP port of the server. Required unless address or addresses is set.
    ///
    /// `stubs/rpc_server/port`: A whole number, 1 to 65535. Default 0. Changes live.
    public var port = 0
    /// The address of the server, or the name of one or several, in place of ip and port. See
    /// docs/guides/names.md.
    ///
    /// `stubs/rpc_server/address`: IP:PORT, [IPv6]:PORT, unix:PATH, unix:@NAME (up to 107
    /// bytes), HOST:PORT, or SCHEME:NAME such as dns:///HOST:PORT; or empty. Default none.
    /// Changes live.
    public var address: String?
    /// The addresses of several servers, in place of ip and port or address. Calls are spread
    /// over them by balancing.
    ///
    /// `stubs/rpc_server/addresses`: 0 to 64 values, separated by commas; each IP:PORT,
    /// [IPv6]:PORT, unix:PATH or unix:@NAME (up to 107 bytes). Default none. Changes live.
    public var addresses: [String] = []
    /// How calls are spread over several servers: p2c (of two random ones to that with the
    /// lower latency and fewer calls), least_in_flight, round_robin, weighted (by the load that
    /// servers report), consistent_hash (by the key of a call), or pick_first (all to the first
    /// that answers).
    ///
    /// `stubs/rpc_server/balancing`: One of p2c, least_in_flight, round_robin, weighted,
    /// consistent_hash, pick_first. Default p2c. Changes live.
    public var balancing = StubConfig.balancingPolicies[0]
    /// How many servers of a longer list are used, a part of them that differs from client to
    /// client. 0: all.
    ///
    /// `stubs/rpc_server/subset_size`: A whole number, 0 to 10000. Default 20. Changes live.
    public var subsetSize = 20
    /// The zone of this client. Servers of the same zone are preferred, while there are enough.
    ///
    /// `stubs/rpc_server/zone`: A text of 1 to 255 characters. Default none. Changes live.
    public var zone = ""
    /// How many calls may be sent again, in percent of all calls; always up to 10 per second.
    ///
    /// `stubs/rpc_server/retry_budget_percent`: A whole number, 0 to 1000. Default 20. Changes
    /// live.
    public var retryBudgetPercent = 20
    /// The timeout of a call, unless the caller sets one.
    ///
    /// `stubs/rpc_server/timeout`: A whole number of ms, 1 to 86400000. Default 2000 ms.
    /// Changes live.
    public var timeout = Duration.milliseconds(2000)
    /// The timeout of connecting.
    ///
    /// `stubs/rpc_server/connect_timeout_ms`: A whole number of ms, 1 to 3600000. Default 1000
    /// ms. Changes live.
    public var connectTimeout = Duration.milliseconds(1000)
    /// The largest number of connections. Each carries any number of concurrent calls.
    ///
    /// `stubs/rpc_server/pool_size`: A whole number, 1 to 1024. Default 1. Changes live.
    public var poolSize = 1
    /// How long the client looks for events before it sleeps, in us, if the last one came as
    /// soon. Its thread uses a core meanwhile; calls that follow one another find it awake. 0:
    /// it sleeps at once.
    ///
    /// `stubs/rpc_server/busy_wait_us`: A whole number, 0 to 1000. Default 0. Changes live.
    public var busyWaitMicroseconds = 0
    /// Whether calls wait, up to their timeout, while the server can't be reached. Otherwise
    /// they fail at once.
    ///
    /// `stubs/rpc_server/wait_for_ready`: True or false. Default false. Changes live.
    public var waitsForReady = false
    /// The largest number of attempts per call, if it is safe to repeat it. 1: no retries.
    ///
    /// `stubs/rpc_server/max_attempts`: A whole number, 1 to 100. Default 4. Changes live.
    public var maxAttempts = 4
    /// What is different for the calls of single methods. hedge: idempotent calls that have no
    /// reply after the time in which 95 % of the method's have one are sent to a second server,
    /// too.
    ///
    /// `stubs/rpc_server/method_policies`: 0 to 1000 values, separated by commas; each
    /// Service.method, followed by timeout_ms=N, max_attempts=N, idempotent=BOOL or hedge=BOOL,
    /// separated by blanks. Default none. Changes live.
    public var methodPolicies: [MethodPolicyConfig] = []
    /// The largest request frame. A larger one is not sent. 0: the frame limit.
    ///
    /// `stubs/rpc_server/max_request_bytes`: A whole number of bytes, 0 to 1073741824. Default
    /// 0 bytes. Changes live.
    public var maxRequestBytes = 0
    /// Whether requests contain the time that is left of their timeout.
    ///
    /// `stubs/rpc_server/send_deadline`: True or false. Default true. Changes live.
    public var sendsDeadline = true
    /// Whether the server is notified of cancelled calls. C++ servers ignore it.
    ///
    /// `stubs/rpc_server/send_cancel`: True or false. Default true. Changes live.
    public var sendsCancel = true
    /// CRC32C of frames: off (neither sent nor checked, as C++ peers), send, or require (from
    /// peers, too).
    ///
    /// `stubs/rpc_server/checksum`: One of off, send, require. Default off. Changes live.
    public var checksum = ChecksumPolicy.off
    /// The largest frame that is received or sent. A larger reply fails its call with
    /// RESOURCE_EXHAUSTED and is skipped; one of more than 16 times this size closes the
    /// connection.
    ///
    /// `stubs/rpc_server/max_frame_bytes`: A whole number of bytes, 64 to 1073741824. Default
    /// 4194304 bytes. Changes live.
    public var maxFrameBytes = 4_194_304
    /// What the server is: rocket-swift (this project), or one of the C++ projects rocket and
    /// tinyrpc. To a C++ peer only what it supports is sent: see docs/wire-format.md, "Sending
    /// to C++ peers".
    ///
    /// `stubs/rpc_server/peer`: One of rocket-swift, rocket, tinyrpc. Default rocket-swift.
    /// Changes live.
    public var peer = PeerKind.rocketSwift
    /// The wire: tinypb, or grpc for a server of any other framework.
    ///
    /// `stubs/rpc_server/protocol`: One of tinypb, grpc. Default tinypb. Changes live.
    public var `protocol` = WireKind.tinyPB

    /// TLS of the connections; nil: they are plaintext.
    public var tls: StubTLSConfig?

    /// All fields have their defaults; the name and the port (or an address) must be set.
    public init() {}

    /// A server with this name at `address`: `IP:PORT`, `[IPv6]:PORT` or `unix:PATH`.
    public init(name: String, address: String) {
        self.name = name
        self.address = address
    }

    /// The addresses of the server in the order of preference: `addresses` unless it is empty,
    /// otherwise `address` if it is set, otherwise `ip` and `port`.
    public var endpoints: [String] {
        addresses.isEmpty ? [address ?? ConfigAddress.text(ip: ip, port: port)] : addresses
    }

    /// The endpoints as one text.
    public var endpoint: String { endpoints.joined(separator: ", ") }
}

extension StubConfig {
    /// The schema of the `rpc_server` element below `stubs`.
    public static let schema = ConfigSchema<Self>(
        "rpc_server",
        "A server that this process calls, or several with one name. The element may occur any "
            + "number of times. Changes apply without an effect on calls in flight.",
        addressing + calls, elements: [.init(\.tls, .live)]
    ) { stub in
        if stub.name.isEmpty { return "name is missing" }
        if stub.port == 0, stub.address == nil, stub.addresses.isEmpty {
            return "port is missing (or address)"
        }
        if stub.peer != .rocketSwift, stub.protocol == .grpc {
            return "protocol is grpc, but the peer \(stub.peer.rawValue) speaks TinyPB"
        }
        if let name = MethodPolicyConfig.repeated(in: stub.methodPolicies) {
            return "method_policies has \(name) twice"
        }
        if stub.peer != .rocketSwift, stub.checksum == .require {
            return "checksum is require, but the peer \(stub.peer.rawValue) sends no checksums"
        }
        return nil
    }

    /// The words of RocketBalancing's `BalancingPolicy`; the default first.
    public static let balancingPolicies = [
        "p2c", "least_in_flight", "round_robin", "weighted", "consistent_hash", "pick_first",
    ]

    private static let addressing: [ConfigField<Self>] = [
        .init(
            "name", \.name, .name, .live,
            "The unique name of the server in this configuration. Required."),
        .init("ip", \.ip, .ipAddress, .live, "The IP address of the server."),
        .init(
            "port", \.port, .integer(1...65_535), .live,
            "The TCP port of the server. Required unless address or addresses is set."),
        .init(
            "address", \.address, .optional(.target), .live,
            "The address of the server, or the name of one or several, in place of ip and port. "
                + "See docs/guides/names.md."),
        .init(
            "addresses", \.addresses, .list(of: .address, count: 0...64), .live,
            "The addresses of several servers, in place of ip and port or address. Calls are spread "
                + "over them by balancing."),
        .init(
            "balancing", \.balancing, .choice(of: balancingPolicies) { $0 }, .live,
            "How calls are spread over several servers: p2c (of two random ones to that with the "
                + "lower latency and fewer calls), least_in_flight, round_robin, weighted (by the "
                + "load that servers report), consistent_hash (by the key of a call), or "
                + "pick_first (all to the first that answers)."),
        .init(
            "subset_size", \.subsetSize, .integer(0...10_000), .live,
            "How many servers of a longer list are used, a part of them that differs from client to "
                + "client. 0: all."),
        .init(
            "zone", \.zone, .text(), .live,
            "The zone of this client. Servers of the same zone are preferred, while there are "
                + "enough."),
        .init(
            "retry_budget_percent", \.retryBudgetPercent, .integer(0...1000), .live,
            "How many calls may be sent again, in percent of all calls; always up to 10 per second."
        ),
    ]

    private static let calls: [ConfigField<Self>] = [
        .init(
            "timeout", \.timeout, .milliseconds(1...86_400_000), .live,
            "The timeout of a call, unless the caller sets one."),
        .init(
            "connect_timeout_ms", \.connectTimeout, .milliseconds(1...3_600_000), .live,
            "The timeout of connecting."),
        .init(
            "pool_size", \.poolSize, .integer(1...1024), .live,
            "The largest number of connections. Each carries any number of concurrent calls."),
        .init(
            "busy_wait_us", \.busyWaitMicroseconds, .integer(0...1000), .live,
            "How long the client looks for events before it sleeps, in us, if the last one came as "
                + "soon. Its thread uses a core meanwhile; calls that follow one another find it "
                + "awake. 0: it sleeps at once."),
        .init(
            "wait_for_ready", \.waitsForReady, .boolean, .live,
            "Whether calls wait, up to their timeout, while the server can't be reached. Otherwise "
                + "they fail at once."),
        .init(
            "max_attempts", \.maxAttempts, .integer(1...100), .live,
            "The largest number of attempts per call, if it is safe to repeat it. 1: no retries."),
        .init(
            "method_policies", \.methodPolicies, .list(of: .methodPolicy, count: 0...1000), .live,
            "What is different for the calls of single methods. hedge: idempotent calls that have "
                + "no reply after the time in which 95 % of the method's have one are sent to a "
                + "second server, too."),
        .init(
            "max_request_bytes", \.maxRequestBytes, .bytes(0...1_073_741_824), .live,
            "The largest request frame. A larger one is not sent. 0: the frame limit."),
        .init(
            "send_deadline", \.sendsDeadline, .boolean, .live,
            "Whether requests contain the time that is left of their timeout."),
        .init(
            "send_cancel", \.sendsCancel, .boolean, .live,
            "Whether the server is notified of cancelled calls. C++ servers ignore it."),
        .init(
            "protocol", \.protocol, WireKind.type, .live,
            "The wire: tinypb, or grpc for a server of any other framework."),
        .init(
            "checksum", \.checksum, ChecksumPolicy.type, .live,
            "CRC32C of frames: off (neither sent nor checked, as C++ peers), send, or require (from "
                + "peers, too)."
        ),
        .init(
            "max_frame_bytes", \.maxFrameBytes, .bytes(64...1_073_741_824), .live,
            "The largest frame that is received or sent. A larger reply fails its call with "
                + "RESOURCE_EXHAUSTED and is skipped; one of more than 16 times this size closes "
                + "the connection."),
        .init(
            "peer", \.peer, PeerKind.type, .live,
            "What the server is: rocket-swift (this project), or one of the C++ projects rocket and "
                + "tinyrpc. To a C++ peer only what it supports is sent: see docs/wire-format.md, "
                + "\"Sending to C++ peers\"."),
    ]
}

/// What a server is that is called. Decides what may be sent to it (docs/wire-format.md, "Sending
/// to C++ peers").
public enum PeerKind: String, CaseIterable, Hashable, Sendable {
    /// A server of this project.
    case rocketSwift = "rocket-swift"
    /// A server of the C++ project rocket.
    case rocket
    /// A server of the C++ project tinyrpc.
    case tinyrpc

    static let type = ConfigType.choice(of: Array(allCases)) { $0.rawValue }
}

/// The error of a name that no stub of the configuration has.
public struct UnknownStub: Error, Hashable, Sendable, CustomStringConvertible {
    /// The requested name.
    public let name: String
    /// The names of all stubs.
    public let known: [String]

    /// - Parameters:
    ///   - name: the requested name.
    ///   - known: the names of all stubs.
    public init(name: String, known: [String]) {
        self.name = name
        self.known = known
    }

    /// `no stub is named "oder"; did you mean order? (known: order, stock)`.
    public var description: String {
        let hint = NearestName.hint(for: name, in: known)
        let list = known.isEmpty ? "there are no stubs" : "known: " + known.joined(separator: ", ")
        return "no stub is named \(name.quotedForMessage)\(hint) (\(list))"
    }
}
