/// A server that this process calls, under a name of its own.
public struct StubConfig: ConfigSection, Hashable {
    /// What the server is called here; no two have the same name. Required.
    ///
    /// `stubs/rpc_server/name`: 1 to 100 letters, digits, '.', '_' or '-', the first one no
    /// '.'. Default none. Changes live.
    public var name = ""
    /// The server's address.
    ///
    /// `stubs/rpc_server/ip`: An IPv4 or IPv6 address in numbers, such as 127.0.0.1 or ::1.
    /// Default 127.0.0.1. Changes live.
    public var ip = "127.0.0.1"
    /// The server's TCP port. Required, unless address is given.
    ///
    /// `stubs/rpc_server/port`: A whole number, 1 to 65535. Default 0. Changes live.
    public var port = 0
    /// The server's address as one text, instead of ip and port.
    ///
    /// `stubs/rpc_server/address`: IP:PORT, [IPv6]:PORT, unix:PATH or unix:@NAME; or empty.
    /// Default none. Changes live.
    public var address: String?
    /// All addresses of the server, instead of ip and port or address. The first one that
    /// answers is called; the connections of a pool begin with one each.
    ///
    /// `stubs/rpc_server/addresses`: 0 to 64 values, with commas between them; each IP:PORT,
    /// [IPv6]:PORT, unix:PATH or unix:@NAME. Default none. Changes live.
    public var addresses: [String] = []
    /// How long a call may take, where the caller does not say.
    ///
    /// `stubs/rpc_server/timeout`: A whole number of ms, 1 to 86400000. Default 2000 ms.
    /// Changes live.
    public var timeout = Duration.milliseconds(2000)
    /// How long connecting may take.
    ///
    /// `stubs/rpc_server/connect_timeout_ms`: A whole number of ms, 1 to 3600000. Default 1000
    /// ms. Changes live.
    public var connectTimeout = Duration.milliseconds(1000)
    /// The most connections; each carries any number of calls at a time.
    ///
    /// `stubs/rpc_server/pool_size`: A whole number, 1 to 1024. Default 1. Changes live.
    public var poolSize = 1
    /// Whether calls wait, up to their time-out, while the server can't be reached; otherwise
    /// they fail at once.
    ///
    /// `stubs/rpc_server/wait_for_ready`: True or false. Default false. Changes live.
    public var waitsForReady = false
    /// How often a call is sent in all, where sending it again does no harm; 1 is never again.
    ///
    /// `stubs/rpc_server/max_attempts`: A whole number, 1 to 100. Default 4. Changes live.
    public var maxAttempts = 4
    /// The largest request frame; a larger one is not sent. 0 leaves it to the frame limit; for
    /// C++ servers, which don't answer a first request of 128 bytes or more, 127.
    ///
    /// `stubs/rpc_server/max_request_bytes`: A whole number of bytes, 0 to 1073741824. Default
    /// 0 bytes. Changes live.
    public var maxRequestBytes = 0
    /// Whether requests say what is left of their time-out.
    ///
    /// `stubs/rpc_server/send_deadline`: True or false. Default true. Changes live.
    public var sendsDeadline = true
    /// Whether the server is told of calls that were given up; C++ servers take no notice.
    ///
    /// `stubs/rpc_server/send_cancel`: True or false. Default true. Changes live.
    public var sendsCancel = true
    /// Whether frames bear a CRC32C and have to: off as C++ peers do, send, or require.
    ///
    /// `stubs/rpc_server/checksum`: One of off, send, require. Default off. Changes live.
    public var checksum = ChecksumPolicy.off

    /// Every field at its default; name and port (or address) have to be set.
    public init() {}

    /// A server of that name at an address: `IP:PORT`, `[IPv6]:PORT`, `unix:PATH`.
    public init(name: String, address: String) {
        self.name = name
        self.address = address
    }

    /// Where the server is, in the order of preference: `addresses` where there are some, else
    /// `address` where it is given, else `ip` and `port`.
    public var endpoints: [String] {
        addresses.isEmpty ? [address ?? ConfigAddress.text(ip: ip, port: port)] : addresses
    }

    /// The endpoints as one text.
    public var endpoint: String { endpoints.joined(separator: ", ") }
}

extension StubConfig {
    /// The `rpc_server` element below `stubs`.
    public static let schema = ConfigSchema<Self>(
        "rpc_server",
        "A server that this process calls. There may be any number of them. A change holds for "
            + "channels that are opened after it.",
        place + calls
    ) { stub in
        if stub.name.isEmpty { return "name is missing" }
        if stub.port == 0, stub.address == nil, stub.addresses.isEmpty {
            return "port is missing (or address)"
        }
        return nil
    }

    private static let place: [ConfigField<Self>] = [
        .init(
            "name", \.name, .name, .live,
            "What the server is called here; no two have the same name. Required."),
        .init("ip", \.ip, .ipAddress, .live, "The server's address."),
        .init(
            "port", \.port, .integer(1...65_535), .live,
            "The server's TCP port. Required, unless address is given."),
        .init(
            "address", \.address, .optional(.address), .live,
            "The server's address as one text, instead of ip and port."),
        .init(
            "addresses", \.addresses, .list(of: .address, count: 0...64), .live,
            "All addresses of the server, instead of ip and port or address. The first one "
                + "that answers is called; the connections of a pool begin with one each."),
    ]

    private static let calls: [ConfigField<Self>] = [
        .init(
            "timeout", \.timeout, .milliseconds(1...86_400_000), .live,
            "How long a call may take, where the caller does not say."),
        .init(
            "connect_timeout_ms", \.connectTimeout, .milliseconds(1...3_600_000), .live,
            "How long connecting may take."),
        .init(
            "pool_size", \.poolSize, .integer(1...1024), .live,
            "The most connections; each carries any number of calls at a time."),
        .init(
            "wait_for_ready", \.waitsForReady, .boolean, .live,
            "Whether calls wait, up to their time-out, while the server can't be reached; "
                + "otherwise they fail at once."),
        .init(
            "max_attempts", \.maxAttempts, .integer(1...100), .live,
            "How often a call is sent in all, where sending it again does no harm; 1 is never "
                + "again."),
        .init(
            "max_request_bytes", \.maxRequestBytes, .bytes(0...1_073_741_824), .live,
            "The largest request frame; a larger one is not sent. 0 leaves it to the frame "
                + "limit; for C++ servers, which don't answer a first request of 128 bytes or "
                + "more, 127."),
        .init(
            "send_deadline", \.sendsDeadline, .boolean, .live,
            "Whether requests say what is left of their time-out."),
        .init(
            "send_cancel", \.sendsCancel, .boolean, .live,
            "Whether the server is told of calls that were given up; C++ servers take no "
                + "notice."),
        .init(
            "checksum", \.checksum, ChecksumPolicy.type, .live,
            "Whether frames bear a CRC32C and have to: off as C++ peers do, send, or require."),
    ]
}

/// A name that no stub of the configuration bears.
public struct UnknownStub: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked for.
    public let name: String
    /// The names that there are.
    public let known: [String]

    /// The refusal of `name`, where `known` are the names there are.
    public init(name: String, known: [String]) {
        self.name = name
        self.known = known
    }

    /// `no stub is named "oder"; did you mean order? Known: order, stock`.
    public var description: String {
        let hint = NearestName.hint(for: name, in: known)
        let list = known.isEmpty ? "there are no stubs" : "known: " + known.joined(separator: ", ")
        return "no stub is named \(name.quotedForMessage)\(hint) (\(list))"
    }
}
