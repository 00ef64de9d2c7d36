import RocketBase
public import RocketTCP

/// Listeners of a server for calls as JSON over HTTP/1.1, and their limits. A value.
public struct RPCHTTPConfiguration: Sendable {
    /// Listeners and limits on connections. The budget should be that of the server. The limits on time
    /// without traffic should be left out: those below know what a connection waits for.
    public var tcp: TCPServerConfiguration
    /// The longest time from the first byte of a request to its last one; afterwards it is answered with
    /// 408. Default 30 s.
    public var requestTimeout = Duration.seconds(30)
    /// How long a connection may be without a request. Default 60 s.
    public var idleTimeout = Duration.seconds(60)
    /// The names that requests may have in the field Host, without a port; others are answered with
    /// 421. Where the listener's address is a loopback one, its names are allowed in any case. Default
    /// none: only those, or on other addresses everything.
    public var hosts: [String] = []

    /// Creates the defaults with these listeners: 1,000 connections, without limits on time without
    /// traffic.
    public init(tcp: TCPServerConfiguration) {
        self.tcp = tcp
        self.tcp.maxConnections = 1000
        self.tcp.connection.idleTimeout = nil
        self.tcp.connection.firstBytesTimeout = nil
        self.tcp.connection.partialInputTimeout = nil
        // Requests are consumed as they come: what is left are further ones, during a call.
        self.tcp.connection.inputLimitBytes = 1 << 20
    }
}

extension RPCHTTPConfiguration {
    /// Creates listeners from the element `root/server/http` of a configuration file.
    ///
    /// - Parameters:
    ///   - server: the server's own listeners.
    ///   - security: makes TLS, as for the server.
    init(
        _ http: HTTPConfig, of config: ServerConfig, beside server: TCPServerConfiguration,
        security: (any TransportSecurityProvider)?, _ addresses: inout ListenAddresses
    ) throws(RPCError) {
        let listen = try addresses.all(of: http.listen)
        self.init(tcp: TCPServerConfiguration(listen: listen))
        tcp.apply(config)
        tcp.budget = server.budget
        tcp.maxConnections = http.maxConnections
        tcp.maxConnectionsPerPeer =
            http.maxConnectionsPerPeer > 0 ? http.maxConnectionsPerPeer : nil
        tcp.connection.idleTimeout = nil
        // Its connections stay where they are.
        tcp.balancesConnections = false
        do throws(TransportSecurityError) {
            tcp.security = try ListenerSecurity(http, of: config, by: security)
        } catch { throw RPCError(.peerAddress, "\(error)") }
        requestTimeout = http.requestTimeout
        idleTimeout = http.idleTimeout
        hosts = http.hosts
    }

    /// What a wire has to respect.
    var settings: HTTP1Settings {
        HTTP1Settings(
            requestTimeout: requestTimeout, idleTimeout: idleTimeout,
            hosts: hosts.map { $0.lowercased() })
    }
}

extension ListenAddresses {
    /// Returns the addresses of all texts, without repetition.
    mutating func all(of texts: [String]) throws(RPCError) -> [NetAddress] {
        var found: [NetAddress] = []
        do throws(ListenAddressError) {
            for text in texts {
                for address in try addresses(of: text) where !found.contains(address) {
                    found.append(address)
                }
            }
        } catch {
            throw RPCError(error.isPermanent ? .peerAddress : .unavailable, "\(error)")
        }
        return found
    }
}
