import RocketBalancing
public import RocketBase
import RocketCodec
public import RocketReactor
import RocketSystem
import RocketTCP

extension RPCChannel {
    /// Creates a channel to a stub of the configuration, by its name, or to any other target.
    ///
    /// - Parameters:
    ///   - target: `order`, a name of `root/stubs`; or what `RPCChannel(to:resolvers:)` takes, such as
    ///     `127.0.0.1:12345`, `unix:/run/order`, `dns:///orders:80`.
    ///   - interceptors, loop: see the other initializers.
    ///   - security: makes what protects the connections, for which it reads files: `TLSProvider` of
    ///     RocketTLS; nil: none, so that a stub with TLS is an error. An address is plaintext.
    ///   - grpc: the wire of stubs with the protocol grpc: `.grpc()` of RocketGRPC; nil: such a stub
    ///     is an error.
    ///   - resolvers: of names; see `RPCChannel(to:resolvers:)`.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a target that is neither, or TLS that can't be
    ///   used; CHANNEL_INIT when the thread can't be started.
    public convenience init(
        to target: String, config: RocketConfig, interceptors: [any RPCInterceptor] = [],
        loop: EventLoop? = nil, logs: LogSystem? = nil,
        security: (any TransportSecurityProvider)? = nil, grpc: RPCChannelProtocol? = nil,
        resolvers: [any RPCResolver] = []
    ) throws(RPCError) {
        let stub = config.stubs.first { $0.name == target }
        var configuration = RPCChannelConfiguration()
        let source: EndpointSource
        if let stub {
            configuration = try RPCChannelConfiguration(stub, security: security, grpc: grpc)
            source = try EndpointSource(stub, resolvers: resolvers)
        } else if let parsed = try? RPCTarget(target) {
            source = try EndpointSource(parsed, resolvers: resolvers)
        } else {
            let unknown = UnknownStub(name: target, known: config.stubs.map(\.name))
            throw RPCError(.peerAddress, "'\(target)' is not an address, and \(unknown)")
        }
        try self.init(
            to: source, configuration: configuration, interceptors: interceptors, loop: loop,
            logger: logs?.rpc ?? .disabled, target: target)
        if let stub { self.stub.withLock { $0 = (stub, configuration) } }
    }

    /// Takes over what the configuration says of the channel's stub now: servers, policies, limits.
    /// Calls in flight go on; where a setting concerns connections (TLS, the wire, the pool), new ones
    /// replace them. The windows of streams and the limit on calls that wait for the loop stay. Any
    /// thread.
    ///
    /// - Parameters: as those of `RPCChannel(to:config:)`.
    /// - Throws: `RPCError` as that; then nothing has changed. ERROR_RPC_PEER_ADDR, too, where the
    ///   stub is gone, or the channel was not created by the name of one.
    public func reload(
        _ config: RocketConfig, security: (any TransportSecurityProvider)? = nil,
        grpc: RPCChannelProtocol? = nil, resolvers: [any RPCResolver] = []
    ) throws(RPCError) {
        guard let (old, current) = stub.withLock({ $0 }) else {
            throw RPCError(.peerAddress, "'\(target)' is no stub of the configuration")
        }
        guard let new = config.stubs.first(where: { $0.name == old.name }) else {
            let unknown = UnknownStub(name: old.name, known: config.stubs.map(\.name))
            throw RPCError(.peerAddress, "\(unknown)")
        }
        if new == old { return }
        var configuration = try RPCChannelConfiguration(new, security: security, grpc: grpc)
        if new.tls == old.tls, new.protocol == old.protocol {
            // The same connections: their tickets and their certificates stay.
            configuration.security = current.security
            configuration.protocol = current.protocol
        }
        let source = try EndpointSource(new, resolvers: resolvers)
        stub.withLock { $0 = (new, configuration) }
        apply(
            ChannelSettings(
                source: source, configuration: configuration,
                connector: configuration.protocol.wrapping(
                    TCPConnector.maker(configuration), configuration, context.logger)),
            replacesConnections: !new.hasConnections(of: old))
    }
}

extension StubConfig {
    /// Whether connections that were opened for `other` are as those of this one.
    fileprivate func hasConnections(of other: StubConfig) -> Bool {
        tls == other.tls && self.protocol == other.protocol && peer == other.peer
            && maxFrameBytes == other.maxFrameBytes && checksum == other.checksum
            && maxRequestBytes == other.maxRequestBytes && sendsDeadline == other.sendsDeadline
            && sendsCancel == other.sendsCancel && poolSize == other.poolSize
    }
}

extension EndpointSource {
    /// The servers of a stub.
    fileprivate init(_ stub: StubConfig, resolvers: [any RPCResolver]) throws(RPCError) {
        if stub.addresses.isEmpty {
            try self.init(RPCTarget(stub.endpoint), resolvers: resolvers)
            return
        }
        var endpoints: [RPCEndpoint] = []
        for text in stub.addresses {
            endpoints.append(RPCEndpoint([try NetAddress(configured: text)]))
        }
        self = .fixed(endpoints)
    }
}

extension RPCChannelConfiguration {
    /// The settings of a stub of the configuration.
    ///
    /// - Parameter security, grpc: as those of `RPCChannel(to:config:)`.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for TLS that can't be used.
    public init(
        _ stub: StubConfig, security: (any TransportSecurityProvider)? = nil,
        grpc: RPCChannelProtocol? = nil
    ) throws(RPCError) {
        if stub.protocol == .grpc {
            guard let grpc else {
                throw RPCError(
                    .channelInit,
                    "the protocol of stubs/\(stub.name) is grpc, and the program passes no "
                        + "grpc: .grpc() of the product RocketGRPC")
            }
            self.protocol = grpc
        }
        if var tls = stub.tls {
            tls.applicationProtocols = self.protocol.applicationProtocols
            let path = "stubs/\(stub.name)/tls"
            do throws(TransportSecurityError) {
                guard let security else { throw TransportSecurityError.noProvider(at: path) }
                self.security = try security.clientSecurity(tls, at: path)
            } catch { throw RPCError(.peerAddress, "\(error)") }
        }
        timeout = stub.timeout
        connectTimeout = stub.connectTimeout
        poolSize = stub.poolSize
        busyWait = .microseconds(stub.busyWaitMicroseconds)
        waitsForReady = stub.waitsForReady
        retry.maxAttempts = stub.maxAttempts
        retry.budget?.percent = stub.retryBudgetPercent
        for policy in stub.methodPolicies {
            methods[policy.method] = RPCMethodPolicy(policy)
        }
        balancing.policy = BalancingPolicy(rawValue: stub.balancing) ?? .p2cPeakEWMA
        balancing.zonePreference.zone = stub.zone
        subsetSize = stub.subsetSize
        maxRequestBytes = stub.maxRequestBytes == 0 ? nil : stub.maxRequestBytes
        sendsDeadline = stub.sendsDeadline
        sendsCancel = stub.sendsCancel
        peer = stub.peer
        codec = TinyPBCodec(maxFrameBytes: stub.maxFrameBytes, checksum: .init(stub.checksum))
    }
}

extension RPCMethodPolicy {
    fileprivate init(_ config: MethodPolicyConfig) {
        timeout = config.timeout
        maxAttempts = config.maxAttempts
        isIdempotent = config.isIdempotent ?? false
        hedging = config.hedges == true ? HedgePolicy() : nil
    }
}
