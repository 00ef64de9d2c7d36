public import RocketBase
public import RocketTCP

/// What a client connects to, and its limits. A value; set it before the client is made.
public struct NATSConfiguration: Sendable {
    /// The servers of one cluster, in the order in which they are tried; at least one.
    public var servers: [NATSServer]
    /// The client's name, in the lists of the server. Default empty.
    public var name = ""
    /// How the client proves who it is. Default: it does not.
    public var credentials = NATSCredentials.none
    /// What protects the connections: with one the client upgrades each connection after the server's
    /// `INFO`, and sends nothing over one that is not protected. nil, the default: nothing; a server
    /// that requires TLS is refused.
    public var security: (any ClientTransportSecurity)?
    /// Looks up servers with names. nil, the default: they can't be connected to.
    public var lookup: (any HostLookup)?
    /// Whether the client's own messages are delivered to its subscriptions. Default true.
    public var echo = true
    /// Whether the servers that a server names are connected to as well. Default true.
    public var discoversServers = true
    /// The most servers, the named ones included. Default 64.
    public var maxServers = 64

    /// The waits between attempts to connect. Default: from 100 ms to 10 s, with jitter.
    public var backOff = BackOff()
    /// A connection that lasted at least so long counts as a success: after its loss the waits begin
    /// at the shortest again. Default 10 s.
    public var steadyAfter = Duration.seconds(10)
    /// The time limit of one attempt up to the connection (with TLS up to the end of its handshake),
    /// and then of the exchange up to the server's first `PONG`. Default 5 s.
    public var connectTimeout = Duration.seconds(5)
    /// A `PING` is sent so often. Default 20 s.
    public var pingInterval = Duration.seconds(20)
    /// With so many `PING`s unanswered when the next one is due the connection counts as lost. Whatever
    /// arrives is an answer, and while reading is paused none is expected. At least 1; default 2.
    public var maxUnansweredPings = 2

    /// With more than this many bytes waiting to be sent, messages are not taken. Default 8 MiB.
    public var maxPendingBytes = 8 << 20
    /// The longest message that is received, headers included; a longer one ends the connection.
    /// Default 8 MiB, at most 64 MiB.
    public var maxMessageBytes = 8 << 20

    /// Creates the defaults for these servers.
    public init(servers: [NATSServer]) { self.servers = servers }

    /// Creates the defaults for the servers and the credentials of a URL. TLS is not part of it.
    public init(_ url: NATSURL) {
        servers = url.servers
        credentials = url.credentials
    }
}
