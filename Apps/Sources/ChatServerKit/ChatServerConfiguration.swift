public import RocketBase
public import RocketTCP

/// Where a chat server listens and what it allows. A value.
public struct ChatServerConfiguration: Sendable {
    /// The port where the configuration names none: the original's.
    public static let defaultPort = 9999

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

    /// The defaults, and where to listen. A client may listen for ever without a word.
    public init(listen: [NetAddress]) {
        tcp = TCPServerConfiguration(listen: listen)
        tcp.connection.firstBytesTimeout = nil
    }

    /// As `root/server` and `root/chat` of a configuration say.
    ///
    /// - Throws: `NetAddress.ParseError` for a listener's address that is none.
    public init(_ config: RocketConfig) throws {
        let server = config.server
        self.init(listen: try server.addresses.map { try NetAddress(parsing: $0) })
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
