import RocketBase
import RocketReactor
import RocketRPC
import RocketSystem
import RocketTCP

/// Lists and watches the servers of a name, on the loop of a channel, until its task is cancelled.
final class EtcdWatch: Sendable {
    let client: EtcdClient
    let loop: EventLoop
    private let keys: EtcdKeys
    private let configuration: EtcdConfiguration
    private let report: RPCResolverReport
    private let logger: RocketLogger
    private let state = Locked(State())

    private struct State {
        var servers = EtcdServers()
        var pace = ReportPace()
        var hasReported = false
    }

    init(
        _ client: EtcdClient, _ keys: EtcdKeys, _ configuration: EtcdConfiguration,
        _ report: RPCResolverReport, _ logger: RocketLogger, on loop: EventLoop
    ) {
        self.client = client
        self.keys = keys
        self.configuration = configuration
        self.report = report
        self.logger = logger
        self.loop = loop
    }

    func run() async {
        var backOff = configuration.backOff
        while !Task.isCancelled {
            let start = loop.time.monotonic()
            do throws(RPCError) {
                try await watch(from: try await list() + 1)
            } catch {
                if Task.isCancelled { return }
                report.failed(error)
            }
            // A watch that ends at once, again and again, is a failure, too.
            if loop.time.monotonic() - start > configuration.backOff.most { backOff.succeeded() }
            await loop.sleep(
                for: loop.withReactor { reactor in
                    var random = reactor.random
                    return backOff.next(using: &random)
                })
        }
    }

    /// - Returns: the revision of the list.
    private func list() async throws(RPCError) -> Int64 {
        let (pairs, isComplete, revision) = try await client.list(
            keys, limit: EtcdServers.maxKeys)
        let (isChanged, isFirst, faults) = state.withLock { state in
            let (isChanged, faults) = state.servers.replace(pairs, isComplete: isComplete)
            defer { state.hasReported = true }
            return (isChanged, !state.hasReported, faults)
        }
        log(faults)
        if !isComplete {
            logger.throttled(.warn, "servers ignored")?.warn("servers ignored") {
                $0.add("prefix", keys.prefix)
                $0.add("reason", "there are more than \(EtcdServers.maxKeys) keys")
            }
        }
        if isChanged || isFirst { changed() }
        return revision
    }

    /// Returns when the servers must be listed again.
    private func watch(from revision: Int64) async throws(RPCError) {
        let call = try await client.watch(keys, from: revision)
        defer { call.cancel() }
        var responses = call.responses.makeAsyncIterator()
        while let response = try await responses.next() {
            if response.canceled {
                // Listing again takes over what has happened before that revision.
                if response.compactRevision > 0 { return }
                throw RPCError(.unavailable, "etcd ended the watch: \(response.cancelReason)")
            }
            if response.events.isEmpty { continue }
            let (isChanged, faults, needsListing) = state.withLock { state in
                let (isChanged, faults) = state.servers.apply(response.events)
                return (isChanged, faults, state.servers.needsListing)
            }
            log(faults)
            if isChanged { changed() }
            if needsListing { return }
        }
        throw RPCError(.unavailable, "etcd ended the watch")
    }

    /// Reports the list, at once or a little later.
    private func changed() {
        let now = loop.time.monotonic()
        switch state.withLock({ $0.pace.changed(at: now) }) {
        case .nothing: break
        case .report: report.found(state.withLock { $0.servers.endpoints })
        case .wait(let duration):
            loop.schedule(after: duration, label: "etcd servers") { [self] reactor in
                report.found(
                    state.withLock { state in
                        state.pace.waited(at: reactor.now)
                        return state.servers.endpoints
                    })
            }
        }
    }

    private func log(_ faults: [EtcdServers.Fault]) {
        for fault in faults {
            logger.throttled(.warn, "server ignored")?.warn("server ignored") {
                $0.add("key", fault.key)
                $0.add("reason", fault.reason)
            }
        }
    }
}

/// How often a list that changes often is reported: at once after a quiet time, ten times per second
/// otherwise. A value.
struct ReportPace {
    enum Action: Hashable {
        /// A report follows already.
        case nothing
        case report
        /// Report then, and call `waited`.
        case wait(Duration)
    }

    static let interval = Duration.milliseconds(100)

    private var last: MonotonicTime?
    private var isWaiting = false

    mutating func changed(at now: MonotonicTime) -> Action {
        if isWaiting { return .nothing }
        if let last, now < last + Self.interval {
            isWaiting = true
            return .wait(last + Self.interval - now)
        }
        last = now
        return .report
    }

    mutating func waited(at now: MonotonicTime) {
        isWaiting = false
        last = now
    }
}
