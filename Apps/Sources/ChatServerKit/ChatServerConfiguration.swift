public import RocketBase
public import RocketSystemd
public import RocketTCP

/// Where a chat server listens and what it allows. A value.
public struct ChatServerConfiguration: Sendable {
    /// The port where the configuration names none: the original's.
    public static let defaultPort = 9999
    /// What a socket unit calls sockets for the chat: FileDescriptorName=chat.
    public static let socketName = "chat"

    /// Listeners, connections, time-outs and water marks.
    public var tcp: TCPServerConfiguration
    /// Of each session.
    public var limits = ChatLimits()
    /// Sub reactors. 1 to 1024; default 1.
    public var ioThreads = 1
    /// A callback that holds a loop up for this long is logged. Default 100 ms; nil: none.
    public var slowCallback: Duration? = .milliseconds(100)
    /// How long sending what waits may take once the server drains. Default 10 s.
    public var drainTimeout = Duration.seconds(10)

    /// Who is told that it is ready, what it does and that it drains; nil: nobody.
    public var systemd: SystemdReporter?

    /// The defaults, and where to listen. A client may listen for ever without a word.
    public init(listen: [NetAddress]) {
        tcp = TCPServerConfiguration(listen: listen)
        tcp.connection.firstBytesTimeout = nil
    }

    /// As `root/server` and `root/chat` of a configuration say.
    ///
    /// - Parameter sockets: where socket activation has opened some, those of the name `chat` (or
    ///   those without a name) are served instead of what the configuration names.
    /// - Throws: `NetAddressError` for a listener's address that is none.
    public init(_ config: RocketConfig, sockets: ListenFDs = .none) throws {
        let server = config.server
        self.init(listen: try server.addresses.map { try NetAddress(parsing: $0) })
        tcp.adoptedDescriptors = sockets.descriptors(for: Self.socketName)
        if !tcp.adoptedDescriptors.isEmpty { tcp.listen = [] }
        tcp.maxConnections = server.maxConnections
        tcp.maxConnectionsPerPeer = server.maxConnectionsPerPeer
        tcp.connection.idleTimeout = server.idleTimeout.unlessZero
        tcp.connection.highWaterMarkBytes = server.highWaterMarkBytes
        tcp.connection.lowWaterMarkBytes = server.lowWaterMarkBytes
        tcp.connection.outputLimitBytes = server.outputLimitBytes
        ioThreads = server.ioThreads
        slowCallback = server.slowCallback.unlessZero
        drainTimeout = server.drainTimeout
        let chat = config[ChatConfig.self]
        tcp.connection.writeTimeout = chat.writeTimeout.unlessZero
        limits = chat.limits
    }
}

extension Duration {
    fileprivate var unlessZero: Duration? { self > .zero ? self : nil }
}
