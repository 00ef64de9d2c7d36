public import RocketBase
public import RocketSystem

extension TCPServerConfiguration {
    /// Applies what `root/server` of a configuration says of listeners, connections and memory,
    /// besides the addresses.
    ///
    /// Reads what memory the process may use.
    public mutating func apply(_ server: ServerConfig, memory: SystemMemory = SystemMemory()) {
        unixMode = server.unixMode
        maxConnections = server.maxConnections
        maxConnectionsPerPeer =
            server.maxConnectionsPerPeer > 0 ? server.maxConnectionsPerPeer : nil
        let limit = memory.limit
        budget =
            server.memoryBudgetBytes > 0
            ? ByteBudget(limitBytes: server.memoryBudgetBytes, memory: limit)
            : .automatic(memory: limit)
        handshakeThreads = server.handshakeThreads
        balancesConnections = server.balancesConnections
        connection.handshakeTimeout = server.handshakeTimeout
        connection.idleTimeout = server.idleTimeout > .zero ? server.idleTimeout : nil
        connection.highWaterMarkBytes = server.highWaterMarkBytes
        connection.lowWaterMarkBytes = server.lowWaterMarkBytes
        connection.outputLimitBytes = server.outputLimitBytes
    }
}

extension ListenerSecurity {
    /// What `root/server` of a configuration says of TLS.
    ///
    /// - Parameters:
    ///   - provider: makes the securities, for which it reads files; nil: there is none, so that TLS
    ///     is an error.
    ///   - protocols: the protocols of ALPN, best first; nil: those of the elements.
    ///   - addresses: has the addresses of the hosts that are listened on.
    /// - Throws: `TransportSecurityError` with the element or the file, and the reason.
    public init(
        _ server: ServerConfig, by provider: (any TransportSecurityProvider)?,
        protocols: [String]? = nil, addresses: ListenAddresses = ListenAddresses()
    ) throws(TransportSecurityError) {
        var addresses = addresses
        tcp = try Self.security(server.tls, protocols, at: "server/tls", by: provider)
        for listener in server.listeners {
            let path = "server/listener/\(listener.address)"
            let found: [NetAddress]
            do { found = try addresses.addresses(of: listener.address) } catch {
                throw TransportSecurityError(.configuration, "\(path): \(error)")
            }
            let security = try Self.security(
                listener.tls, protocols, at: "\(path)/tls", by: provider)
            for address in found { exceptions[address] = .some(security) }
        }
    }

    /// What a configuration says of TLS on its listeners for HTTP/1.1: `root/server/http/tls`, or what it
    /// says for the server.
    ///
    /// - Parameter provider: as of the server.
    /// - Throws: `TransportSecurityError` with the element or the file, and the reason.
    public init(
        _ http: HTTPConfig, of server: ServerConfig, by provider: (any TransportSecurityProvider)?
    ) throws(TransportSecurityError) {
        tcp = try Self.security(
            http.tls ?? server.tls, ["http/1.1"], at: "server/http/tls", by: provider)
    }

    private static func security(
        _ tls: ServerTLSConfig?, _ protocols: [String]?, at path: String,
        by provider: (any TransportSecurityProvider)?
    ) throws(TransportSecurityError) -> (any ServerTransportSecurity)? {
        guard var tls else { return nil }
        if let protocols { tls.applicationProtocols = protocols }
        guard let provider else { throw .noProvider(at: path) }
        return try provider.serverSecurity(tls, at: path)
    }
}
