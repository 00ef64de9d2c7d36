import RocketBase
import RocketNames
import RocketReactor
import RocketRPC
import RocketSystem
import RocketTCP
import SwiftProtobuf

/// A server that is announced in etcd, from `start` until it is withdrawn. Any thread; its work is done
/// on the loop of its channel.
final class EtcdRegistration: RPCRegistration {
    private let client: EtcdClient
    private let key: String
    private let value: String
    private let configuration: EtcdConfiguration
    private let logger: RocketLogger
    private let state = Locked(State())
    private let changed = AsyncEvent()

    private struct State {
        var lease: Int64?
        var isAnnounced = false
        var wasAnnounced = false
        var announcing: Task<Void, Never>?
        var withdrawing: Task<Result<Void, RPCError>, Never>?
    }

    init(
        _ client: EtcdClient, key: String, value: String, _ configuration: EtcdConfiguration,
        _ logger: RocketLogger
    ) {
        self.client = client
        self.key = key
        self.value = value
        self.configuration = configuration
        self.logger = logger
    }

    private var loop: EventLoop { client.channel.loop }

    /// Begins to announce. Once.
    func start() {
        let task = Task(executorPreference: loop) { await self.announce() }
        state.withLock { $0.announcing = task }
    }

    var isAnnounced: Bool { state.withLock { $0.isAnnounced } }

    func announced() async {
        await changed.wait {
            state.withLock { $0.wasAnnounced || $0.withdrawing != nil }
        }
    }

    func withdraw() async throws(RPCError) {
        let task = state.withLock { state in
            if let task = state.withdrawing { return task }
            let announcing = state.announcing
            let task = Task(executorPreference: loop) { await self.remove(after: announcing) }
            state.withdrawing = task
            return task
        }
        changed.notify()
        try await task.value.get()
    }

    // MARK: Withdrawing

    private func remove(after announcing: Task<Void, Never>?) async -> Result<Void, RPCError> {
        announcing?.cancel()
        // Its calls end at once: nothing is announced afterwards.
        await announcing?.value
        let lease = state.withLock { state in
            state.isAnnounced = false
            return state.lease
        }
        defer { client.channel.close() }
        guard let lease else { return .success(()) }
        do throws(RPCError) {
            try await client.revoke(lease)
            logger.info("server withdrawn") { $0.add("key", key) }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    // MARK: Announcing

    private func announce() async {
        var backOff = configuration.backOff
        while !Task.isCancelled {
            let start = loop.time.monotonic()
            do throws(RPCError) {
                try await put(lease: try await lease())
                try await keepAlive()
            } catch {
                if Task.isCancelled { return }
                logger.throttled(.warn, "etcd not reached")?.warn("etcd not reached") {
                    $0.add("key", key)
                    $0.add("error", error.description)
                }
            }
            // An announcement that ends at once, again and again, is a failure, too.
            if loop.time.monotonic() - start > configuration.backOff.most { backOff.succeeded() }
            let wait = loop.withReactor { reactor in
                var random = reactor.random
                return backOff.next(using: &random)
            }
            await loop.sleep(for: wait)
        }
    }

    private func lease() async throws(RPCError) -> Int64 {
        if let lease = state.withLock({ $0.lease }) { return lease }
        let lease = try await client.grant(seconds: configuration.leaseSeconds)
        state.withLock { $0.lease = lease }
        return lease
    }

    /// Sets the key: also where it is set already, since somebody may have removed it meanwhile.
    private func put(lease: Int64) async throws(RPCError) {
        guard try await client.put(key, value, lease: lease) else {
            lost()
            throw RPCError(.notFound, "the lease has ended")
        }
        let wasAnnounced = state.withLock { state in
            defer { (state.isAnnounced, state.wasAnnounced) = (true, true) }
            return state.isAnnounced
        }
        if wasAnnounced { return }
        changed.notify()
        logger.info("server announced") {
            $0.add("key", key)
            $0.add("value", value)
        }
    }

    /// Keeps the lease alive. Returns when it is lost.
    private func keepAlive() async throws(RPCError) {
        guard let lease = state.withLock({ $0.lease }) else { return }
        let call = try await client.keepAlive()
        defer { call.cancel() }
        var responses = call.responses.makeAsyncIterator()
        var interval = Duration.seconds(configuration.leaseSeconds) / 3
        while true {
            // Another endpoint is tried while the lease still lives.
            let limit = loop.schedule(after: interval, label: "etcd lease") { _ in call.cancel() }
            let response: Etcdserverpb_LeaseKeepAliveResponse?
            do throws(RPCError) {
                try await call.requests.write(.with { $0.id = lease })
                response = try await responses.next()
                limit.cancel()
            } catch {
                if limit.cancel() || Task.isCancelled { throw error }
                throw RPCError(
                    .callTimeout, "etcd did not keep the lease alive within \(interval)")
            }
            guard let response else { throw RPCError(.unavailable, "etcd ended the stream") }
            if response.ttl <= 0 { return lost() }
            interval = .seconds(response.ttl) / 3
            await loop.sleep(for: interval)
            if Task.isCancelled { throw RPCError(.cancelled, "the server is withdrawn") }
        }
    }

    private func lost() {
        state.withLock { state in
            state.lease = nil
            state.isAnnounced = false
        }
        logger.warn("lease lost, server not announced") { $0.add("key", key) }
    }
}
