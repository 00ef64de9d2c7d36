public import RocketBase
import RocketCodec
public import RocketReactor
import RocketTCP

extension RPCChannel {
    /// A channel to a stub of the configuration, by its name, or to an address.
    ///
    /// - Parameters:
    ///   - target: `order`, a name of `root/stubs`; or `127.0.0.1:12345`, `[::1]:80`,
    ///     `unix:/run/order`.
    ///   - interceptors, loop: see `init(to:configuration:interceptors:loop:logger:target:)`.
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for what is neither, CHANNEL_INIT when its thread
    ///   can't be started.
    public convenience init(
        to target: String, config: RocketConfig, interceptors: [any RPCInterceptor] = [],
        loop: EventLoop? = nil, logs: LogSystem? = nil
    ) throws(RPCError) {
        var configuration = RPCChannelConfiguration()
        let address: NetAddress
        if let stub = config.stubs.first(where: { $0.name == target }) {
            address = try NetAddress(configured: stub.endpoint)
            configuration.timeout = stub.timeout
            configuration.connectTimeout = stub.connectTimeout
            configuration.codec = TinyPBCodec(checksum: .init(stub.checksum))
        } else if let parsed = try? NetAddress(parsing: target) {
            address = parsed
        } else {
            let unknown = UnknownStub(name: target, known: config.stubs.map(\.name))
            throw RPCError(.peerAddress, "'\(target)' is no address, and \(unknown)")
        }
        try self.init(
            to: address, configuration: configuration, interceptors: interceptors, loop: loop,
            logger: logs?.rpc ?? .disabled, target: target)
    }
}
