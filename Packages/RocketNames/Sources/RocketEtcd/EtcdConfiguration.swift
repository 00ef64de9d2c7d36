public import RocketBase
import RocketCodec
import RocketGRPC
public import RocketRPC
public import RocketTCP

/// How etcd is reached, and how long its answers may take. A value.
public struct EtcdConfiguration: Sendable {
    /// Where etcd is, for names that don't say it (`etcd:///rocket/orders`): the name of a channel, such
    /// as `list:10.0.0.1:2379,10.0.0.2:2379`. All endpoints must be of one cluster. Default
    /// `127.0.0.1:2379`.
    public var endpoints = "127.0.0.1:2379"
    /// The resolvers of `endpoints`, where that has host names. Default none.
    public var resolvers: [any RPCResolver] = []
    /// What protects the connections, such as TLS with the protocol `h2`. Default nil: nothing.
    public var security: (any ClientTransportSecurity)?
    /// How long a step may take: to list the servers, to announce one, to withdraw it. Default 5
    /// seconds.
    public var timeout = Duration.seconds(5)
    /// For how long a server that has ended without withdrawing stays announced. 2 to 3600 seconds, in
    /// whole seconds; default 10 seconds.
    public var leaseTime = Duration.seconds(10)
    /// The waits between attempts after failures. Default from 100 ms to 5 s.
    public var backOff = BackOff(most: .seconds(5))
    /// How long etcd may be silent before it is pinged, while servers are watched. It permits 5
    /// seconds (`--grpc-keepalive-min-time`). Default 10 seconds.
    public var keepaliveTime = Duration.seconds(10)
    /// How long etcd may take to answer a ping; another endpoint is used then. Default 3 seconds.
    public var keepaliveTimeout = Duration.seconds(3)

    /// The defaults.
    public init() {}

    /// The largest answer: 10,000 servers of 1.6 KiB.
    private static let maxAnswerBytes = 16 << 20

    /// Returns the name of the channel to etcd.
    ///
    /// - Parameter authority: of the name that is resolved: addresses, or empty.
    func endpoints(_ authority: String) -> String {
        if authority.isEmpty { return endpoints }
        return authority.contains(",") ? "list:\(authority)" : authority
    }

    /// Checks where etcd is.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR.
    func check(_ authority: String) throws(RPCError) {
        let target = try RPCTarget(endpoints(authority))
        switch target.scheme {
        case "address": break
        case "list":
            for text in target.name.split(separator: ",", omittingEmptySubsequences: false) {
                do { _ = try NetAddress(parsing: String(text)) } catch {
                    throw RPCError(.peerAddress, "etcd's endpoints: \(error)")
                }
            }
        case let scheme:
            guard let resolver = resolvers.first(where: { $0.schemes.contains(scheme) }) else {
                throw RPCError(
                    .peerAddress,
                    "etcd's endpoints '\(target)' have the scheme \(scheme), which the "
                        + "configuration of etcd has no resolver for")
            }
            try resolver.check(target)
        }
    }

    /// The configuration of the channel to etcd.
    var channel: RPCChannelConfiguration {
        var grpc = GRPCChannelConfiguration()
        grpc.keepaliveTime = keepaliveTime
        grpc.keepaliveTimeout = keepaliveTimeout
        var configuration = RPCChannelConfiguration()
        configuration.protocol = .grpc(grpc)
        configuration.security = security
        configuration.timeout = timeout
        configuration.connectTimeout = min(configuration.connectTimeout, timeout)
        configuration.connectBackOff = backOff
        configuration.codec = TinyPBCodec(maxFrameBytes: Self.maxAnswerBytes)
        return configuration
    }

    /// Whole seconds.
    var leaseSeconds: Int64 { min(max(2, leaseTime.components.seconds), 3600) }
}
