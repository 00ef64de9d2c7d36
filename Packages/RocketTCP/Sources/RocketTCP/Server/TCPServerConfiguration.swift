/// Where a server listens and what it allows. A value; set it before the server.
public struct TCPServerConfiguration: Sendable {
    /// Addresses to listen on, TCP and Unix mixed. Port 0 lets the kernel choose.
    public var listen: [NetAddress]
    /// Numbers of descriptors that listen already, as handed over by a supervisor. The server
    /// takes them over and closes them; the file of a Unix socket among them stays.
    public var adoptedDescriptors: [Int32] = []
    /// Connections that the kernel holds until they are accepted, 1 or more; it caps this at
    /// net.core.somaxconn. Default 1024.
    public var backlog = 1024
    /// SO_REUSEADDR. Default true.
    public var reuseAddress = true
    /// SO_REUSEPORT: several processes share the port. Default false.
    public var reusePort = false
    /// An IPv6 listener takes IPv4 peers too. Default true.
    public var dualStack = true
    /// Permissions of a Unix socket's file, as 0o660; nil: by the umask. Default nil.
    public var unixMode: UInt32?

    /// Accepted at most per readiness of a listener, 1 or more. Default 64.
    public var acceptBatch = 64
    /// Connections open at the same time, 1 or more. Default 10,000.
    public var maxConnections = 10_000
    /// What happens to one more. Default: refused.
    public var atLimit = AtLimit.refuse
    /// Connections of one peer address, nil: no limit of its own. Unix peers count as one.
    public var maxConnectionsPerPeer: Int?
    /// Bytes that all connections may hold together; a connection that grows beyond is closed.
    /// Default 1 GiB.
    public var bufferLimitBytes = 1 << 30
    /// Of each connection. `firstBytesTimeout` is 30 s here by default.
    public var connection = TCPConnectionConfiguration()

    /// What happens to a connection beyond `maxConnections`.
    public enum AtLimit: Sendable {
        /// Accepted and closed at once: the peer knows.
        case refuse
        /// Left in the kernel's backlog until another one ends.
        case park
    }

    /// The defaults, listening on `listen`.
    public init(listen: [NetAddress]) {
        self.listen = listen
        connection.firstBytesTimeout = .seconds(30)
    }
}
