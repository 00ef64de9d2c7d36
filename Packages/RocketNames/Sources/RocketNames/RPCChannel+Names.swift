public import RocketBase
public import RocketReactor
public import RocketRPC

/// The resolvers of this product.
public enum RocketResolvers {
    /// `dns:` and `HOST:PORT`, `srv:`, `file:`, with their defaults. `EtcdResolver` is in RocketEtcd.
    public static let all: [any RPCResolver] = [DNSNames(), FileResolver()]
}

extension RPCChannel {
    /// Creates a channel to the servers behind a name, which all resolvers of this product may find.
    ///
    ///     let channel = try RPCChannel(to: "dns:///orders.svc:12345")
    ///
    /// - Parameters: as those of `RPCChannel(to:resolvers:)`.
    /// - Throws: `RPCError` as that: ERROR_RPC_PEER_ADDR for a name that is invalid or has no resolver,
    ///   CHANNEL_INIT when the thread can't be started.
    public convenience init(
        to target: String, configuration: RPCChannelConfiguration = .init(),
        interceptors: [any RPCInterceptor] = [], loop: EventLoop? = nil,
        logger: RocketLogger = .disabled
    ) throws(RPCError) {
        try self.init(
            to: target, resolvers: RocketResolvers.all, configuration: configuration,
            interceptors: interceptors, loop: loop, logger: logger)
    }
}
