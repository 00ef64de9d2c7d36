import FoundationEssentials
import RocketBase
import RocketCodec
import RocketGRPC
import RocketRPC
import RocketSystem
import RocketTCP
import SwiftProtobuf

@testable import RocketEtcd

/// What an etcd stores. It survives the servers that serve it. Any thread.
final class EtcdStore: Sendable {
    struct Watcher {
        let id: Int
        let range: Range<String>
        let events: AsyncStream<Etcdserverpb_WatchResponse>.Continuation
    }

    struct State {
        var revision: Int64 = 1
        var pairs: [String: (value: String, lease: Int64)] = [:]
        var leases: Set<Int64> = []
        var lastLease: Int64 = 0
        var watchers: [Watcher] = []
        var lastWatcher = 0
        /// What happens before the next watch begins: then it is told that its revision is compacted.
        var beforeWatch: (@Sendable (inout State) -> Void)?
        var counts: [String: Int] = [:]

        mutating func count(_ call: String) { counts[call, default: 0] += 1 }

        mutating func put(_ key: String, _ value: String, lease: Int64 = 0) {
            revision += 1
            pairs[key] = (value, lease)
            notify(key, .put, value)
        }

        mutating func delete(_ key: String) {
            if pairs.removeValue(forKey: key) == nil { return }
            revision += 1
            notify(key, .delete, "")
        }

        mutating func end(_ lease: Int64) -> Bool {
            if leases.remove(lease) == nil { return false }
            for (key, pair) in pairs where pair.lease == lease { delete(key) }
            return true
        }

        private func notify(_ key: String, _ type: Etcdserverpb_Event.EventType, _ value: String) {
            let event = Etcdserverpb_Event.with {
                $0.type = type
                $0.kv.key = Data(key.utf8)
                $0.kv.value = Data(value.utf8)
            }
            for watcher in watchers where watcher.range.contains(key) {
                watcher.events.yield(
                    .with {
                        $0.header.revision = revision
                        $0.events = [event]
                    })
            }
        }
    }

    let state = Locked(State())
    private let changed = AsyncEvent()

    func update<Result: Sendable>(_ change: @Sendable (inout State) -> Result) -> Result {
        defer { changed.notify() }
        return state.withLock { change(&$0) }
    }

    func put(_ key: String, _ address: String) {
        update { $0.put(key, #"{"Addr":"\#(address)"}"#) }
    }

    func value(_ key: String) -> String? { state.withLock { $0.pairs[key]?.value } }

    /// Waits until the store is as it should be.
    func wait(until isRight: @Sendable (borrowing State) -> Bool) async {
        await changed.wait { state.withLock { isRight($0) } }
    }

    /// As when nobody has kept them alive for long enough.
    func expireLeases() {
        update { state in
            for lease in state.leases.sorted() { _ = state.end(lease) }
        }
    }
}

/// The services of etcd over a store.
struct FakeKV: Etcdserverpb_KVService {
    let store: EtcdStore

    nonisolated(nonsending) func range(
        _ request: Etcdserverpb_RangeRequest, _ call: RPCController
    ) async throws -> Etcdserverpb_RangeResponse {
        let keys = text(request.key)..<text(request.rangeEnd)
        return store.update { state in
            state.count("range")
            let found = state.pairs.filter { keys.contains($0.key) }.sorted { $0.key < $1.key }
            let revision = state.revision
            return .with { response in
                response.header.revision = revision
                response.more = found.count > Int(request.limit)
                response.kvs = found.prefix(Int(request.limit)).map { key, pair in
                    .with {
                        $0.key = Data(key.utf8)
                        $0.value = Data(pair.value.utf8)
                    }
                }
            }
        }
    }

    nonisolated(nonsending) func put(
        _ request: Etcdserverpb_PutRequest, _ call: RPCController
    ) async throws -> Etcdserverpb_PutResponse {
        let hasLease = store.update { state in
            state.count("put")
            guard request.lease == 0 || state.leases.contains(request.lease) else { return false }
            state.put(text(request.key), text(request.value), lease: request.lease)
            return true
        }
        if !hasLease { throw RPCError(.notFound, "etcdserver: requested lease not found") }
        return .init()
    }
}

struct FakeWatch: Etcdserverpb_WatchService {
    let store: EtcdStore

    nonisolated(nonsending) func watch(
        _ requests: RPCMessageStream<Etcdserverpb_WatchRequest>,
        _ responses: RPCWriter<Etcdserverpb_WatchResponse>, _ call: RPCController
    ) async throws {
        for try await request in requests {
            let create = request.createRequest
            let keys = text(create.key)..<text(create.rangeEnd)
            let (events, continuation) = AsyncStream.makeStream(
                of: Etcdserverpb_WatchResponse.self)
            let (id, isCompacted) = store.update { state in
                state.count("watch")
                if let before = state.beforeWatch.take() { before(&state) }
                let isCompacted = create.startRevision <= state.revision
                state.lastWatcher += 1
                if !isCompacted {
                    state.watchers.append(
                        EtcdStore.Watcher(
                            id: state.lastWatcher, range: keys, events: continuation))
                }
                return (state.lastWatcher, isCompacted)
            }
            defer { store.update { $0.watchers.removeAll { $0.id == id } } }
            try await responses.write(.with { $0.created = true })
            if isCompacted {
                try await responses.write(
                    .with {
                        $0.canceled = true
                        $0.compactRevision = create.startRevision + 1
                    })
                continue
            }
            for await event in events { try await responses.write(event) }
            try Task.checkCancellation()
        }
    }
}

struct FakeLease: Etcdserverpb_LeaseService {
    let store: EtcdStore

    nonisolated(nonsending) func leaseGrant(
        _ request: Etcdserverpb_LeaseGrantRequest, _ call: RPCController
    ) async throws -> Etcdserverpb_LeaseGrantResponse {
        let id = store.update { state in
            state.count("grant")
            state.lastLease += 1
            state.leases.insert(state.lastLease)
            return state.lastLease
        }
        return .with {
            $0.id = id
            $0.ttl = request.ttl
        }
    }

    nonisolated(nonsending) func leaseRevoke(
        _ request: Etcdserverpb_LeaseRevokeRequest, _ call: RPCController
    ) async throws -> Etcdserverpb_LeaseRevokeResponse {
        let wasThere = store.update { state in
            state.count("revoke")
            return state.end(request.id)
        }
        if !wasThere { throw RPCError(.notFound, "etcdserver: requested lease not found") }
        return .init()
    }

    nonisolated(nonsending) func leaseKeepAlive(
        _ requests: RPCMessageStream<Etcdserverpb_LeaseKeepAliveRequest>,
        _ responses: RPCWriter<Etcdserverpb_LeaseKeepAliveResponse>, _ call: RPCController
    ) async throws {
        for try await request in requests {
            let isAlive = store.update { state in
                state.count("keepAlive")
                return state.leases.contains(request.id)
            }
            try await responses.write(
                .with {
                    $0.id = request.id
                    $0.ttl = isAlive ? 1 : 0
                })
        }
    }
}

private func text(_ data: Data) -> String { String(decoding: data, as: UTF8.self) }

/// A server of a store on a port of this machine, until it is stopped.
final class FakeEtcd: Sendable {
    let address: NetAddress
    private let server: RPCServer
    private let task: Task<Void, any Error>

    init(_ store: EtcdStore, at address: NetAddress = .loopback(port: 0)) async throws {
        var configuration = RPCServerConfiguration(
            tcp: TCPServerConfiguration(listen: [address]))
        configuration.protocols = [.grpc()]
        configuration.drainTimeout = .zero
        while true {
            let server = try RPCServer(
                configuration: configuration,
                services: [FakeKV(store: store), FakeWatch(store: store), FakeLease(store: store)])
            let task = Task { try await server.run() }
            if let bound = await server.boundAddresses.first {
                (self.server, self.task, self.address) = (server, task, bound)
                return
            }
            // A process that another test starts holds a copy of the socket that had the port until
            // its exec.
            guard case .failure = await task.result, address.port != 0 else {
                throw RPCError(.channelInit, "the fake etcd does not listen")
            }
        }
    }

    func stop() async {
        server.beginDrain()
        _ = await task.result
    }
}

/// Runs a fake etcd until `body` returns.
func withEtcd(_ body: (EtcdStore, FakeEtcd) async throws -> Void) async throws {
    let store = EtcdStore()
    let etcd = try await FakeEtcd(store)
    do {
        try await body(store, etcd)
        await etcd.stop()
    } catch {
        await etcd.stop()
        throw error
    }
}

extension EtcdConfiguration {
    /// Patient where etcd answers, quick where it must be tried again.
    static var test: EtcdConfiguration {
        var configuration = EtcdConfiguration()
        configuration.timeout = .seconds(60)
        configuration.backOff = BackOff(first: .milliseconds(5), most: .milliseconds(20))
        return configuration
    }
}
