public import RocketBase
public import RocketReactor
public import RocketRPC

/// Finds servers that are announced in etcd (version 3.4 or newer): `etcd:///rocket/orders`, or
/// `etcd://10.0.0.1:2379,10.0.0.2:2379/rocket/orders` with the addresses of etcd itself. Any thread.
///
/// Each key below `rocket/orders/` is a server, with the value `{"Addr":"IP:PORT","Metadata":{"weight":1,
/// "zone":"a"}}`; Metadata may be missing. The keys are listed once, and watched from then on. Where
/// etcd can't be reached, the channel keeps its last list, and another endpoint of etcd is tried, after
/// waits of up to 5 seconds. Values that are no server are ignored with a warning in the log, and so are
/// keys beyond 10,000.
///
/// The connection to etcd belongs to the channel's loop; it ends with the channel.
public struct EtcdResolver: RPCResolver {
    private let configuration: EtcdConfiguration
    private let logger: RocketLogger

    /// A resolver of names in etcd.
    ///
    /// - Parameter logger: receives warnings of values that are ignored, and of etcd's failures.
    public init(
        _ configuration: EtcdConfiguration = EtcdConfiguration(), logger: RocketLogger = .disabled
    ) {
        self.configuration = configuration
        self.logger = logger
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

    /// Begins to list and watch the servers of a name. On the channel's loop.
    public func start(
        _ target: RPCTarget, on reactor: Reactor, report: RPCResolverReport
    ) -> any RPCResolution {
        do throws(RPCError) {
            let client = try EtcdClient(
                configuration, authority: target.authority, loop: reactor.loop, logger: logger)
            let watch = EtcdWatch(
                client, try EtcdKeys(target), configuration, report, logger, on: reactor.loop)
            return EtcdResolution(watch)
        } catch {
            report.failed(error)
            return EtcdResolution(nil)
        }
    }
}

/// Servers that are watched for a channel. Bound to the channel's loop.
private final class EtcdResolution: RPCResolution {
    private let watch: EtcdWatch?
    private let task: Task<Void, Never>?

    init(_ watch: EtcdWatch?) {
        self.watch = watch
        task = watch.map { watch in Task(executorPreference: watch.loop) { await watch.run() } }
    }

    /// Without effect: each change is reported, or etcd is being asked already.
    func refresh() {}

    func cancel() {
        task?.cancel()
        watch?.client.channel.close()
    }
}
