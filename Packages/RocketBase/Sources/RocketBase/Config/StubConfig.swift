/// A server that this process calls, under a name of its own.
public struct StubConfig: ConfigSection, Hashable {
    public var name = ""
    public var ip = "127.0.0.1"
    public var port = 0
    public var address: String?
    public var timeout = Duration.milliseconds(2000)
    public var connectTimeout = Duration.milliseconds(1000)
    public var poolSize = 1
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
        "rpc_server", "A server that this process calls. There may be any number of them.",
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
                "pool_size", \.poolSize, .integer(1...1024), .live,
                "Connections to the server; each carries any number of calls at a time."),
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
    public let name: String
    /// The names that there are.
    public let known: [String]

    /// `no stub is named "oder"; did you mean order? Known: order, stock`.
    public var description: String {
        let hint = NearestName.hint(for: name, in: known)
        let list = known.isEmpty ? "there are no stubs" : "known: " + known.joined(separator: ", ")
        return "no stub is named \(name.quotedForMessage)\(hint) (\(list))"
    }
}
