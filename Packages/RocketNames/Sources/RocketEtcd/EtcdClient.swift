import FoundationEssentials
import RocketBase
import RocketCodec
import RocketReactor
import RocketRPC
import SwiftProtobuf

/// Calls etcd. Any thread; the copies share a channel.
struct EtcdClient: Sendable {
    typealias Pair = Etcdserverpb_KeyValue

    /// The channel to all endpoints of etcd.
    let channel: RPCChannel

    private static let notFound = RPCErrorCode.notFound
    /// A member that has lost its leader ends the stream, in place of serving what is out of date.
    private static let needsLeader: RPCMetadata = ["hasleader": "true"]

    /// - Parameter loop: nil: the channel has a thread of its own.
    init(
        _ configuration: EtcdConfiguration, authority: String, loop: EventLoop?,
        logger: RocketLogger
    ) throws(RPCError) {
        channel = try RPCChannel(
            to: configuration.endpoints(authority), resolvers: configuration.resolvers,
            configuration: configuration.channel, loop: loop, logger: logger)
    }

    /// Returns what is below a prefix, up to a number of keys.
    ///
    /// - Returns: the pairs; whether there are no others; the revision that they are of.
    func list(
        _ keys: EtcdKeys, limit: Int
    ) async throws(RPCError) -> (pairs: [Pair], isComplete: Bool, revision: Int64) {
        let response = try await Etcdserverpb_KVClient(channel).range(
            .with {
                $0.key = Data(keys.prefix.utf8)
                $0.rangeEnd = Data(keys.end.utf8)
                $0.limit = Int64(limit)
            }, options: Self.options())
        return (response.kvs, !response.more, response.header.revision)
    }

    /// Begins to watch the keys.
    func watch(
        _ keys: EtcdKeys, from revision: Int64
    ) async throws(RPCError) -> RPCStreamCall<Etcdserverpb_WatchRequest, Etcdserverpb_WatchResponse>
    {
        let call = try await channel.stream(
            Etcdserverpb_WatchMethods.watch, metadata: Self.needsLeader,
            options: Self.options(isIdempotent: false))
        try await call.requests.write(
            .with {
                $0.createRequest.key = Data(keys.prefix.utf8)
                $0.createRequest.rangeEnd = Data(keys.end.utf8)
                $0.createRequest.startRevision = revision
                $0.createRequest.progressNotify = true
            })
        return call
    }

    /// Returns the id of a new lease.
    func grant(seconds: Int64) async throws(RPCError) -> Int64 {
        let response = try await Etcdserverpb_LeaseClient(channel).leaseGrant(
            .with { $0.ttl = seconds }, options: Self.options(isIdempotent: false))
        if !response.error.isEmpty || response.id == 0 {
            throw RPCError(.unavailable, "etcd granted no lease: \(response.error)")
        }
        return response.id
    }

    /// Begins to keep leases alive.
    func keepAlive() async throws(RPCError)
        -> RPCStreamCall<Etcdserverpb_LeaseKeepAliveRequest, Etcdserverpb_LeaseKeepAliveResponse>
    {
        try await channel.stream(
            Etcdserverpb_LeaseMethods.leaseKeepAlive, metadata: Self.needsLeader,
            options: Self.options(isIdempotent: false))
    }

    /// Sets a key for as long as its lease lives.
    ///
    /// - Returns: false when there is no such lease.
    func put(_ key: String, _ value: String, lease: Int64) async throws(RPCError) -> Bool {
        do throws(RPCError) {
            _ = try await Etcdserverpb_KVClient(channel).put(
                .with {
                    $0.key = Data(key.utf8)
                    $0.value = Data(value.utf8)
                    $0.lease = lease
                }, options: Self.options())
            return true
        } catch {
            if error.code == Self.notFound { return false }
            throw error
        }
    }

    /// Ends a lease, with its keys; one that has ended already, too. Waits for etcd, up to the time-out.
    func revoke(_ lease: Int64) async throws(RPCError) {
        var options = Self.options()
        options.waitsForReady = true
        do throws(RPCError) {
            _ = try await Etcdserverpb_LeaseClient(channel).leaseRevoke(
                .with { $0.id = lease }, options: options)
        } catch {
            if error.code != Self.notFound { throw error }
        }
    }

    /// Nothing of the call that is served while a channel is made.
    private static func options(isIdempotent: Bool = true) -> RPCCallOptions {
        var options = RPCCallOptions.independent
        options.isIdempotent = isIdempotent
        return options
    }
}
