public import RocketBase

/// Listeners and limits of a server. A value; set it before the server is created.
public struct TCPServerConfiguration: Sendable {
    /// Addresses to listen on, TCP and Unix. The kernel chooses a port in place of 0.
    public var listen: [NetAddress]
    /// Numbers of descriptors that listen already, as passed by a supervisor, in place of `listen`.
    /// The server owns and closes them; the file of a Unix socket among them remains. Default: none.
    public var adoptedDescriptors: [Int32] = []
    /// Connections that the kernel holds until they are accepted. At least 1; the kernel caps it at
    /// net.core.somaxconn. Default 1024.
    public var backlog = 1024
    /// SO_REUSEADDR. Default true.
    public var reuseAddress = true
    /// SO_REUSEPORT: several processes can share the port. Default false.
    public var reusePort = false
    /// Whether an IPv6 listener accepts IPv4 peers, too. Default true.
    public var dualStack = true
    /// Permissions of a Unix socket's file, whatever the umask: those with write permission can
    /// connect. Abstract sockets have no file: every user of the machine can connect to them.
    /// Default 0o600.
    public var unixMode: UInt32 = 0o600

    /// The most connections accepted per readiness of a listener. At least 1; default 64.
    public var acceptBatch = 64
    /// The most connections open at the same time. At least 1; default 10,000.
    public var maxConnections = 10_000
    /// What happens to a connection beyond `maxConnections`. Default: it is refused.
    public var atLimit = AtLimit.refuse
    /// The most connections of one peer: an IPv4 address, or an IPv6 network of 64 bits, which one
    /// host can have for itself. All Unix peers count as one. At least 1; nil: a quarter of
    /// `maxConnections`, but 16 at least, so that one peer can't take the places of all. Default
    /// nil.
    public var maxConnectionsPerPeer: Int?
    /// The bytes that all connections may hold together. Servers with the same budget share it.
    /// Default: a share of the memory that the process may use.
    public var budget = ByteBudget.automatic()
    /// What protects the connections of its listeners. Default: nothing.
    public var security = ListenerSecurity()
    /// Threads for the handshakes of a security, started with the server; 0: they run on the loops of
    /// their connections, which serve nothing else meanwhile. Default 1.
    public var handshakeThreads = 1
    /// Whether connections move from a loop that is busy to one that is not, where their handlers
    /// permit it. Without effect where a server has one loop. Default true.
    public var balancesConnections = true
    /// The configuration of each connection. Its `firstBytesTimeout` is 30 s by default.
    public var connection = TCPConnectionConfiguration()

    /// What happens to a connection beyond `maxConnections`.
    public enum AtLimit: Sendable {
        /// It is accepted and closed at once, so that the peer reads the end.
        case refuse
        /// It remains in the kernel's backlog until another connection ends.
        case park
    }

    /// Creates the defaults, with the addresses to listen on. Reads the files that say how much
    /// memory the process may use.
    public init(listen: [NetAddress]) {
        self.listen = listen
        connection.firstBytesTimeout = .seconds(30)
    }
}

/// What protects the connections of a server's listeners. A value.
public struct ListenerSecurity: Sendable {
    /// For listeners on IP addresses; nil: they are plaintext. Listeners on Unix sockets are.
    public var tcp: (any ServerTransportSecurity)?
    /// For single listeners, in place of that; nil: plaintext. Of an adopted socket the address may
    /// differ from the one here if the port is the same, but not for plaintext.
    public var exceptions: [NetAddress: (any ServerTransportSecurity)?] = [:]

    /// All listeners are plaintext.
    public init() {}

    /// Whether there is none at all.
    var isEmpty: Bool { tcp == nil && exceptions.allSatisfy { $0.value == nil } }

    /// - Parameters:
    ///   - address: where the socket listens.
    ///   - configured: the address of the configuration, which may have port 0; nil: the socket was
    ///     adopted, so that a protected exception with its port is meant, too: the only one with that
    ///     port, or any without `tcp`. A plaintext one is not: what is allowed for loopback must not
    ///     hold for a network.
    func security(
        of address: NetAddress, configured: NetAddress?
    ) -> (any ServerTransportSecurity)? {
        if let exception = exceptions[configured ?? address] { return exception }
        if configured == nil, let port = address.port {
            // determinism: of several with this port the choice is by their texts
            let found = exceptions.filter { $0.key.port == port }
                .sorted { "\($0.key)" < "\($1.key)" }
            let protected = found.lazy.compactMap(\.value).first
            if found.count == 1 || tcp == nil, let protected { return protected }
        }
        return address.isUnix ? nil : tcp
    }
}

extension TCPServerConfiguration {
    /// Returns the addresses of `listen` that are not served, because the adopted descriptors listen
    /// elsewhere. Of TCP addresses the ports are compared: an interface may stand for another.
    func unserved(bound: [NetAddress]) -> [NetAddress] {
        if adoptedDescriptors.isEmpty { return [] }
        return listen.filter { wanted in
            guard let port = wanted.port else { return !bound.contains(wanted) }
            return !bound.contains { $0.port == port || port == 0 && $0.port != nil }
        }
    }
}
