public import RocketBase
public import RocketNames
public import RocketRPC
import RocketTCP

/// Announces servers in etcd (version 3.4 or newer), where `EtcdResolver` finds them, and clients in Go
/// do: `etcd:///rocket/orders`. Any thread.
///
/// The key `rocket/orders/IP:PORT` belongs to a lease, which is kept alive: when the server ends without
/// withdrawing, the key is gone after `leaseTime`. A lease that is lost, because etcd was away for
/// longer, is replaced by a new one.
public struct EtcdRegistrar: RPCRegistrar {
    private let configuration: EtcdConfiguration

    /// A registrar of etcd.
    public init(_ configuration: EtcdConfiguration = EtcdConfiguration()) {
        self.configuration = configuration
    }

    /// `etcd`.
    public var schemes: [String] { ["etcd"] }

    /// Checks the name, and where etcd is.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR.
    public func check(_ target: RPCTarget) throws(RPCError) {
        _ = try EtcdKeys(target)
        try configuration.check(target.authority)
    }

    /// Begins to announce a server, over a connection with a thread of its own.
    ///
    /// - Throws: as `RPCRegistrar.register`.
    public func register(
        _ endpoint: RPCEndpoint, as target: RPCTarget, logger: RocketLogger
    ) throws(RPCError) -> any RPCRegistration {
        try check(target)
        let announcement = try Announcement(of: endpoint)
        let client = try EtcdClient(
            configuration, authority: target.authority, loop: nil, logger: logger)
        let address = announcement.endpoint.addresses.first?.description ?? ""
        let registration = EtcdRegistration(
            client, key: try EtcdKeys(target).key(of: address), value: announcement.json,
            configuration, logger)
        registration.start()
        return registration
    }
}
