public import RocketBase
import RocketCodec
import RocketTCP

extension RPCServerConfiguration {
    /// As `root/server` of a configuration says.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a listener's address that is none.
    public init(_ server: ServerConfig) throws(RPCError) {
        var listeners: [NetAddress] = []
        for text in server.addresses { listeners.append(try NetAddress(configured: text)) }
        var tcp = TCPServerConfiguration(listen: listeners)
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
        limits.maxCallsPerConnection = server.maxInFlightPerConnection
        limits.maxCalls = server.maxInFlight
        slowCallback = server.slowCallback > .zero ? server.slowCallback : nil
        drainTimeout = server.drainTimeout
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
    /// A server as a configuration describes it.
    ///
    /// - Parameter logs: its lines go to the rpc stream; nil: nowhere.
    /// - Throws: `RPCRegistrationError` for services that can't be registered together,
    ///   `RPCError` for a listener's address that is none.
    public convenience init(
        config: RocketConfig, services: [any RPCService],
        interceptors: [any RPCInterceptor] = [], logs: LogSystem? = nil
    ) throws {
        try self.init(
            configuration: RPCServerConfiguration(config.server), services: services,
            interceptors: interceptors, logger: logs?.rpc ?? .disabled)
    }
}
