/// Calls as JSON over HTTP/1.1, on addresses of their own: docs/guides/json.md.
public struct HTTPConfig: ConfigSection, Hashable {
    /// The addresses, which differ from those of the server. Required. Hosts and files of Unix
    /// sockets are as in root/server/listen.
    ///
    /// `server/http/listen`: 0 to 64 values, separated by commas; each IP:PORT, [IPv6]:PORT,
    /// HOST:PORT, unix:PATH or unix:@NAME (up to 107 bytes). Default none. Needs a restart.
    public var listen: [String] = []
    /// The largest number of connections. Further ones are closed at once.
    ///
    /// `server/http/max_connections`: A whole number, 1 to 10000000. Default 1000. Needs a
    /// restart.
    public var maxConnections = 1000
    /// The largest number of connections from one peer: an IPv4 address, an IPv6 network of 64
    /// bits, or all Unix sockets together. 0: a quarter of max_connections, but 16 at least.
    /// Behind a proxy, which is one peer, set it to max_connections.
    ///
    /// `server/http/max_connections_per_peer`: A whole number, 0 to 10000000. Default 0. Needs
    /// a restart.
    public var maxConnectionsPerPeer = 0
    /// The longest time from the first byte of a request to its last one. Afterwards it is
    /// answered with 408, and its connection is closed.
    ///
    /// `server/http/request_timeout_ms`: A whole number of ms, 100 to 3600000. Default 30000
    /// ms. Needs a restart.
    public var requestTimeout = Duration.milliseconds(30_000)
    /// A connection without a request for this time is closed.
    ///
    /// `server/http/idle_timeout_ms`: A whole number of ms, 100 to 86400000. Default 60000 ms.
    /// Needs a restart.
    public var idleTimeout = Duration.milliseconds(60_000)
    /// The names that requests may have in the field Host, without a port; others are answered
    /// with 421. On a loopback address its names (localhost, 127.0.0.1, ::1) are always
    /// allowed, and if there are no hosts nothing else: a page of another site could call by a
    /// name that resolves to it. On other addresses and Unix sockets everything is allowed if
    /// there are no hosts.
    ///
    /// `server/http/hosts`: 0 to 64 values, separated by commas; each a text of 1 to 253
    /// characters. Default none. Needs a restart.
    public var hosts: [String] = []
    /// TLS of these listeners on IP addresses, in place of that of the server; nil: that of the server.
    public var tls: ServerTLSConfig?

    /// All fields have their defaults; the addresses must be set.
    public init() {}
}

extension HTTPConfig {
    /// The schema of the `http` element below `server`.
    public static let schema = ConfigSchema<Self>(
        "http",
        "Calls as JSON over HTTP/1.1 (Connect's protocol), on addresses of their own; over HTTP/2 they "
            + "are served on the server's addresses. It takes the product RocketGRPC, and server/grpc "
            + "and server/json must not be off. TLS is that of root/server/tls, for IP addresses, "
            + "unless there is a tls element in it, with the elements of root/server/tls. "
            + "Authorization, limits of calls, the memory budget and the drain are the server's. See "
            + "docs/guides/json.md.",
        [
            .init(
                "listen", \.listen, .list(of: .listenAddress, count: 0...64), .restart,
                "The addresses, which differ from those of the server. Required. Hosts and files of "
                    + "Unix sockets are as in root/server/listen."),
            .init(
                "max_connections", \.maxConnections, .integer(1...10_000_000), .restart,
                "The largest number of connections. Further ones are closed at once."),
            .init(
                "max_connections_per_peer", \.maxConnectionsPerPeer, .integer(0...10_000_000),
                .restart,
                "The largest number of connections from one peer: an IPv4 address, an IPv6 network of "
                    + "64 bits, or all Unix sockets together. 0: a quarter of max_connections, but 16 "
                    + "at least. Behind a proxy, which is one peer, set it to max_connections."),
            .init(
                "request_timeout_ms", \.requestTimeout, .milliseconds(100...3_600_000), .restart,
                "The longest time from the first byte of a request to its last one. Afterwards it is "
                    + "answered with 408, and its connection is closed."),
            .init(
                "idle_timeout_ms", \.idleTimeout, .milliseconds(100...86_400_000), .restart,
                "A connection without a request for this time is closed."),
            .init(
                "hosts", \.hosts, .list(of: .text(maximum: 253), count: 0...64), .restart,
                "The names that requests may have in the field Host, without a port; others are "
                    + "answered with 421. On a loopback address its names (localhost, 127.0.0.1, ::1) "
                    + "are always allowed, and if there are no hosts nothing else: a page of another "
                    + "site could call by a name that resolves to it. On other addresses and Unix "
                    + "sockets everything is allowed if there are no hosts."),
        ],
        elements: [.init(\.tls, .restart)]
    ) { http in http.listen.isEmpty ? "listen is missing" : nil }
}
