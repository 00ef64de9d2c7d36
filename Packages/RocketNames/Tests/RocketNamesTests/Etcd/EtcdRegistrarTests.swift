import RocketBase
import RocketNames
import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketEtcd

@Suite struct EtcdRegistrarTests {
    private static let key = "rocket/orders/10.0.0.1:80"

    private func register(
        _ name: String, _ configuration: EtcdConfiguration = .test
    ) throws -> any RPCRegistration {
        var server = RPCEndpoint([try NetAddress(parsing: "10.0.0.1:80")])
        server.weight = 2
        return try EtcdRegistrar(configuration).register(
            server, as: RPCTarget(name), logger: .disabled)
    }

    @Test("A server is announced under a lease that is kept alive, and gone when it is withdrawn")
    func announced() async throws {
        try await withEtcd { store, etcd in
            let name = "etcd://\(etcd.address)/rocket/orders"
            let registration = try register(name)
            await registration.announced()
            #expect(registration.isAnnounced)
            #expect(
                store.value(Self.key) == #"{"Addr":"10.0.0.1:80","Metadata":{"weight":2}}"#)
            await store.wait { $0.counts["keepAlive", default: 0] > 2 }
            try await resolving(name, by: EtcdResolver(.test)) { resolving in
                await resolving.addresses("10.0.0.1:80")
                try await registration.withdraw()
                await resolving.addresses()
            }
            #expect(!registration.isAnnounced)
            #expect(store.state.withLock { $0.leases }.isEmpty)
            try await registration.withdraw()
            #expect(store.state.withLock { $0.counts["revoke"] } == 1)
            #expect(store.state.withLock { $0.counts["grant"] } == 1)
        }
    }

    @Test("A server whose lease has expired is announced again, under a new one")
    func leaseLost() async throws {
        try await withEtcd { store, etcd in
            let registration = try register("etcd://\(etcd.address)/rocket/orders")
            await registration.announced()
            store.expireLeases()
            #expect(store.value(Self.key) == nil)
            await store.wait { $0.pairs[Self.key]?.lease == 2 }
            try await registration.withdraw()
            #expect(store.value(Self.key) == nil)
        }
    }

    @Test("A server stays announced over a restart of etcd, also of one that has lost everything")
    func restart() async throws {
        let store = EtcdStore()
        let first = try await FakeEtcd(store)
        let registration = try register("etcd://\(first.address)/rocket/orders")
        await registration.announced()
        await first.stop()
        // Another process may have removed it.
        store.update { $0.delete(Self.key) }
        let second = try await FakeEtcd(store, at: first.address)
        await store.wait { $0.pairs[Self.key]?.lease == 1 }
        await second.stop()
        let empty = EtcdStore()
        let third = try await FakeEtcd(empty, at: first.address)
        await empty.wait { $0.pairs[Self.key] != nil }
        try await registration.withdraw()
        #expect(empty.value(Self.key) == nil)
        await third.stop()
    }

    @Test("A server that etcd was not there for is announced when it comes")
    func later() async throws {
        let store = EtcdStore()
        let first = try await FakeEtcd(store)
        await first.stop()
        let registration = try register("etcd://\(first.address)/rocket/orders")
        #expect(!registration.isAnnounced)
        let second = try await FakeEtcd(store, at: first.address)
        await registration.announced()
        #expect(store.value(Self.key) != nil)
        try await registration.withdraw()
        await second.stop()
    }

    @Test("To withdraw takes no longer than the time-out where etcd is gone, and is an error then")
    func withdrawnInVain() async throws {
        var configuration = EtcdConfiguration.test
        configuration.timeout = .milliseconds(200)
        let store = EtcdStore()
        let etcd = try await FakeEtcd(store)
        let name = "etcd://\(etcd.address)/rocket/orders"
        var registration = try register(name, configuration)
        // A busy machine may take longer than the time-out.
        await registration.announced()
        await etcd.stop()
        await #expect(throws: RPCError.self) { try await registration.withdraw() }
        #expect(!registration.isAnnounced)
        // Without a lease there is nothing to withdraw.
        registration = try register(name, configuration)
        try await registration.withdraw()
        await registration.announced()
        #expect(!registration.isAnnounced)
    }

    @Test("Two processes that announce one address: the last one keeps it")
    func taken() async throws {
        try await withEtcd { store, etcd in
            let name = "etcd://\(etcd.address)/rocket/orders"
            let old = try register(name)
            await old.announced()
            let new = try register(name)
            await new.announced()
            try await old.withdraw()
            #expect(store.value(Self.key) != nil)
            try await new.withdraw()
            #expect(store.value(Self.key) == nil)
        }
    }
}
