public import RocketBase
import RocketCodec
public import RocketSystemd
import RocketTCP

extension RPCServerConfiguration {
    /// As `root/server` of a configuration says.
    ///
    /// - Parameter sockets: where socket activation has opened some, those of the name `rpc` (or
    ///   those without a name) are served instead of what the configuration names.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a listener's address that is none.
    public init(_ server: ServerConfig, sockets: ListenFDs = .none) throws(RPCError) {
        var listeners: [NetAddress] = []
        for text in server.addresses { listeners.append(try NetAddress(configured: text)) }
        var tcp = TCPServerConfiguration(listen: listeners)
        tcp.adoptedDescriptors = sockets.descriptors(for: Self.socketName)
        if !tcp.adoptedDescriptors.isEmpty { tcp.listen = [] }
        tcp.maxConnections = server.maxConnections
        tcp.maxConnectionsPerPeer = server.maxConnectionsPerPeer
        tcp.connection.idleTimeout = server.idleTimeout > .zero ? server.idleTimeout : nil
        tcp.connection.highWaterMarkBytes = server.highWaterMarkBytes
        tcp.connection.lowWaterMarkBytes = server.lowWaterMarkBytes
        tcp.connection.outputLimitBytes = server.outputLimitBytes
        self.init(tcp: tcp)
        ioThreads = server.ioThreads
        codec = TinyPBCodec(
            maxFrameBytes: server.maxFrameBytes, checksum: .init(server.checksum))
        limits = RPCCallLimits(server)
        slowCallback = server.slowCallback > .zero ? server.slowCallback : nil
        drainTimeout = server.drainTimeout
        health = server.health
        reflection = server.reflection
    }

    /// What a socket unit calls sockets for calls: FileDescriptorName=rpc.
    public static let socketName = "rpc"
}

extension RPCCallLimits {
    /// As `root/server` of a configuration says.
    public init(_ server: ServerConfig) {
        maxCallsPerConnection = server.maxInFlightPerConnection
        maxCalls = server.maxInFlight
        defaults = RPCMethodLimits(
            maxRequestBytes: server.maxRequestBytes, maxResponseBytes: server.maxResponseBytes,
            timeout: server.maxHandlerTime)
        for method in server.methodLimits {
            methods[method.method] = RPCMethodLimits(
                maxRequestBytes: method.maxRequestBytes, maxResponseBytes: method.maxResponseBytes,
                timeout: method.maxHandlerTime)
        }
    }
}

extension TinyPBCodec.Checksum {
    init(_ policy: ChecksumPolicy) {
        self =
            switch policy {
            case .off: .none
            case .send: .sent
            case .require: .required
            }
    }
}

extension NetAddress {
    /// An address that stands in a configuration or on a command line.
    init(configured text: String) throws(RPCError) {
        do {
            try self.init(parsing: text)
        } catch {
            throw RPCError(.peerAddress, "\(error)")
        }
    }
}

extension RPCServer {
    /// A server as a configuration describes it. Where a service manager watches the process it is
    /// told by itself, and sockets that it handed over are served.
    ///
    /// - Parameters:
    ///   - logs: its lines go to the rpc stream; nil: nowhere.
    ///   - systemd: who is told; by default whom the environment names.
    ///   - sockets: what was handed over; by default what the environment names. A process with two
    ///     servers gives each its own.
    /// - Throws: `RPCRegistrationError` for services that can't be registered together,
    ///   `RPCError` for a listener's address that is none.
    public convenience init(
        config: RocketConfig, services: [any RPCService],
        interceptors: [any RPCInterceptor] = [], logs: LogSystem? = nil,
        systemd: SystemdReporter? = .fromEnvironment(), sockets: ListenFDs = .fromEnvironment()
    ) throws {
        var configuration = try RPCServerConfiguration(config.server, sockets: sockets)
        configuration.systemd = systemd
        try self.init(
            configuration: configuration, services: services,
            interceptors: interceptors, logger: logs?.rpc ?? .disabled)
    }
}
