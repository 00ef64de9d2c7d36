public import RocketBase
import RocketEtcd
public import RocketNames
public import RocketRPC
public import RocketTCP
public import ServiceLifecycle

/// The names that programs know beside addresses: `dns:` and `HOST:PORT`, `srv:`, `file:`, `etcd:`. See
/// docs/guides/names.md.
public enum ProgramNames {
    /// Finds the servers of channels.
    ///
    /// - Parameter logger: receives what is ignored, and failures of etcd.
    public static func resolvers(logger: RocketLogger = .disabled) -> [any RPCResolver] {
        [DNSNames(), FileResolver(), EtcdResolver(logger: logger)]
    }

    /// Looks up the hosts of connections that are no channels.
    public static var hosts: any HostLookup { DNSHostLookup() }

    /// Checks the name of a channel.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a name that has no resolver, or can't be resolved in
    ///   any case.
    static func check(_ target: RPCTarget) throws(RPCError) {
        if ["address", "list"].contains(target.scheme) { return }
        let resolvers = resolvers()
        guard let resolver = resolvers.first(where: { $0.schemes.contains(target.scheme) }) else {
            let known = ["list"] + resolvers.flatMap(\.schemes)
            throw RPCError(
                .peerAddress,
                "'\(target)' has the scheme \(target.scheme), which is not one of "
                    + known.joined(separator: ", "))
        }
        try resolver.check(target)
    }

    /// Announces servers.
    public static var registrars: [any RPCRegistrar] { [FileRegistrar(), EtcdRegistrar()] }

    /// Checks the registration of a configuration without announcing anything.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a target or an address that can't be used.
    public static func check(_ config: ServerConfig) throws(RPCError) {
        guard let registration = config.registration else { return }
        try ServerRegistration.check(
            ServerRegistrationConfiguration(registration), registrars: registrars)
    }
}

extension Daemon {
    /// Returns what announces a server by the configuration: none, or one service, which stands behind
    /// the server in the list of `run`.
    ///
    ///     try await daemon.run([tls, server] + daemon.registration(of: server, config.server), …)
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a target or an address that can't be used.
    public func registration(
        of server: RPCServer, _ config: ServerConfig
    ) throws(RPCError) -> [any Service] {
        guard let registration = config.registration else { return [] }
        return [
            try ServerRegistration(
                of: server, ServerRegistrationConfiguration(registration),
                registrars: ProgramNames.registrars, logger: logs.app)
        ]
    }
}

extension ServerRegistrationConfiguration {
    init(_ config: RegistrationConfig) {
        self.init(target: config.target)
        address = config.address
        weight = config.weight
        zone = config.zone
        propagationTime = config.propagation
    }
}
