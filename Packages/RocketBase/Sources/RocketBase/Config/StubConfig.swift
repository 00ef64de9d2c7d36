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

    /// Where the server is: `address` where it is given, else `ip` and `port`.
    public var endpoint: String { address ?? ConfigAddress.text(ip: ip, port: port) }
}

extension StubConfig {
    /// The `rpc_server` element below `stubs`.
    public static let schema = ConfigSchema<Self>(
        "rpc_server",
        "A server that this process calls. There may be any number of them. A change holds for "
            + "channels that are opened after it.",
        [
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
                "timeout", \.timeout, .milliseconds(1...86_400_000), .live,
                "How long a call may take, where the caller does not say."),
            .init(
                "connect_timeout_ms", \.connectTimeout, .milliseconds(1...3_600_000), .live,
                "How long connecting may take."),
            .init(
                "checksum", \.checksum, ChecksumPolicy.type, .live,
                "Whether frames bear a CRC32C and have to: off as C++ peers do, send, or require."),
        ]
    ) { stub in
        if stub.name.isEmpty { return "name is missing" }
        if stub.port == 0, stub.address == nil { return "port is missing (or address)" }
        return nil
    }
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
