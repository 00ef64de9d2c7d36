public import RocketBase
@_spi(Simulation) public import RocketReactor
@_spi(Simulation) public import RocketSystem
public import RocketSystemd
public import RocketTCP

/// The listeners and limits of a chat server. A value.
public struct ChatServerConfiguration: Sendable {
    /// The port unless the configuration names one: that of LibeventMiniChat.
    public static let defaultPort = 9999
    /// FileDescriptorName= of the sockets of the chat in a socket unit.
    public static let socketName = "chat"

    /// Listeners, connections, time-outs and water marks.
    public var tcp: TCPServerConfiguration
    /// The limits of each session.
    public var limits = ChatLimits()
    /// What connects the room with those of other servers. Default nil: the room is in this process
    /// only.
    public var backplane: ChatBackplaneConfiguration?
    /// Sub reactors. 1 to 1024; default 1.
    public var ioThreads = 1
    /// Callbacks that occupy a loop for longer are logged. Default 100 ms; nil: none.
    public var slowCallback: Duration? = .milliseconds(100)
    /// How long sending queued messages may take once the server drains. Default 10 s.
    public var drainTimeout = Duration.seconds(10)

    /// The service manager to be notified of readiness, status and drain, with a watchdog over all
    /// loops. Default nil: none.
    public var systemd: SystemdReporter?
    /// Starts what drives the loops of the server; nil, the default: threads.
    @_spi(Simulation) public var makeThread: MakeLoopThread?
    /// Measures how long a broadcast takes; nil, the default: the clock of each loop.
    @_spi(Simulation) public var broadcastTime: (any TimeSource)?

    /// The defaults for these listeners. A client may read for ever without sending a message.
    public init(listen: [NetAddress]) {
        tcp = TCPServerConfiguration(listen: listen)
        tcp.connection.firstBytesTimeout = nil
    }

    /// From `root/server` and `root/chat` of a configuration.
    ///
    /// - Parameters:
    ///   - sockets: sockets passed by socket activation. If some have the name `chat` (or no name),
    ///     they are served instead of the addresses in the configuration.
    ///   - security: makes what protects the listeners and the backplane; nil: none, so that a
    ///     configuration with TLS is an error.
    ///   - readsFiles: false: the files of the backplane are not read, and the result is good for
    ///     checking, and for `ChatServer.update`, only. Default true.
    /// - Throws: `NetAddressError` for an invalid address of a listener, `TransportSecurityError`
    ///   for TLS that can't be used, and what is wrong with the backplane.
    public init(
        _ config: RocketConfig, sockets: ListenFDs = .none,
        security: (any TransportSecurityProvider)? = nil, readsFiles: Bool = true
    ) throws {
        let server = config.server
        var addresses = ListenAddresses()
        self.init(listen: try server.addresses.flatMap { try addresses.addresses(of: $0) })
        tcp.adoptedDescriptors = sockets.descriptors(for: Self.socketName)
        tcp.apply(server)
        tcp.security = try ListenerSecurity(server, by: security, addresses: addresses)
        ioThreads = server.ioThreads
        slowCallback = server.slowCallback.unlessZero
        drainTimeout = server.drainTimeout
        let chat = config[ChatConfig.self]
        tcp.connection.writeTimeout = chat.writeTimeout.unlessZero
        limits = chat.limits
        backplane = try ChatBackplaneConfiguration(
            chat, security: security, readsFiles: readsFiles)
    }
}

extension Duration {
    fileprivate var unlessZero: Duration? { self > .zero ? self : nil }
}
