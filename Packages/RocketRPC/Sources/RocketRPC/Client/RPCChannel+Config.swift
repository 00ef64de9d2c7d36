public import RocketBase
import RocketCodec
public import RocketReactor
import RocketTCP

extension RPCChannel {
    /// Creates a channel to a stub of the configuration, by its name, or to an address.
    ///
    /// - Parameters:
    ///   - target: `order`, a name of `root/stubs`; or `127.0.0.1:12345`, `[::1]:80`,
    ///     `unix:/run/order`.
    ///   - interceptors, loop: see the other initializers.
    ///   - security: makes what protects the connections, for which it reads files: `TLSProvider` of
    ///     RocketTLS; nil: none, so that a stub with TLS is an error. An address is plaintext.
    ///   - grpc: the wire of stubs with the protocol grpc: `.grpc()` of RocketGRPC; nil: such a stub
    ///     is an error.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a target that is neither, or TLS that can't be
    ///   used; CHANNEL_INIT when the thread can't be started.
    public convenience init(
        to target: String, config: RocketConfig, interceptors: [any RPCInterceptor] = [],
        loop: EventLoop? = nil, logs: LogSystem? = nil,
        security: (any TransportSecurityProvider)? = nil, grpc: RPCChannelProtocol? = nil
    ) throws(RPCError) {
        var configuration = RPCChannelConfiguration()
        var addresses: [NetAddress] = []
        if let stub = config.stubs.first(where: { $0.name == target }) {
            for endpoint in stub.endpoints {
                addresses.append(try NetAddress(configured: endpoint))
            }
            configuration = try RPCChannelConfiguration(stub, security: security, grpc: grpc)
        } else if let parsed = try? NetAddress(parsing: target) {
            addresses = [parsed]
        } else {
            let unknown = UnknownStub(name: target, known: config.stubs.map(\.name))
            throw RPCError(.peerAddress, "'\(target)' is not an address, and \(unknown)")
        }
        try self.init(
            to: addresses, configuration: configuration, interceptors: interceptors, loop: loop,
            logger: logs?.rpc ?? .disabled, target: target)
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
        waitsForReady = stub.waitsForReady
        retry.maxAttempts = stub.maxAttempts
        maxRequestBytes = stub.maxRequestBytes == 0 ? nil : stub.maxRequestBytes
        sendsDeadline = stub.sendsDeadline
        sendsCancel = stub.sendsCancel
        peer = stub.peer
        codec = TinyPBCodec(maxFrameBytes: stub.maxFrameBytes, checksum: .init(stub.checksum))
    }
}
