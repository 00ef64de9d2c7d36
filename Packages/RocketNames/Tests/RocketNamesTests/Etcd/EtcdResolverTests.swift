import RocketBase
import RocketBaseTestKit
import RocketRPC
import RocketSystem
import RocketTCP
import RocketTCPTestKit
import Testing

@testable import RocketEtcd

@Suite struct EtcdResolverTests {
    private let resolver = EtcdResolver(.test)

    @Test("Servers are listed, and each change is found; other names are not")
    func watch() async throws {
        try await withEtcd { store, etcd in
            store.put("rocket/orders/b", "10.0.0.2:80")
            store.put("rocket/orders/a", "10.0.0.1:80")
            store.put("rocket/orders2/a", "10.0.0.9:80")
            store.put("rocket/orders", "10.0.0.9:80")
            try await resolving("etcd://\(etcd.address)/rocket/orders", by: resolver) { resolving in
                await resolving.addresses("10.0.0.1:80", "10.0.0.2:80")
                await store.wait { $0.watchers.count == 1 }
                store.put("rocket/orders/c", "10.0.0.3:80")
                store.put("rocket/orders0", "10.0.0.9:80")
                await resolving.addresses("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
                store.update { $0.delete("rocket/orders/a") }
                await resolving.addresses("10.0.0.2:80", "10.0.0.3:80")
                store.update {
                    $0.put(
                        "rocket/orders/b",
                        #"{"Addr":"10.0.0.2:80","Metadata":{"weight":5,"zone":"z"}}"#)
                }
                let list = await resolving.list { $0.first?.weight == 5 }
                #expect(list.first?.zone == "z")
                for key in ["rocket/orders/b", "rocket/orders/c"] {
                    store.update { $0.delete(key) }
                }
                // As it is: the channel keeps its last list.
                await resolving.addresses()
            }
            #expect(store.state.withLock { $0.counts["range"] } == 1)
        }
    }

    @Test("A watch whose revision is compacted lists the servers again")
    func compaction() async throws {
        try await withEtcd { store, etcd in
            store.put("s/a", "10.0.0.1:80")
            store.update {
                $0.beforeWatch = { state in
                    state.put("s/b", #"{"Addr":"10.0.0.2:80"}"#)
                    state.delete("s/a")
                }
            }
            try await resolving("etcd://\(etcd.address)/s", by: resolver) { resolving in
                await resolving.addresses("10.0.0.1:80")
                await resolving.addresses("10.0.0.2:80")
                await store.wait { $0.watchers.count == 1 }
                store.put("s/c", "10.0.0.3:80")
                await resolving.addresses("10.0.0.2:80", "10.0.0.3:80")
            }
        }
    }

    @Test("When etcd is gone that is reported, and what has changed is found when it is back")
    func restart() async throws {
        let store = EtcdStore()
        store.put("s/a", "10.0.0.1:80")
        let etcd = try await FakeEtcd(store)
        try await resolving("etcd://\(etcd.address)/s", by: resolver) { resolving in
            await resolving.addresses("10.0.0.1:80")
            await store.wait { $0.watchers.count == 1 }
            await etcd.stop()
            #expect(await resolving.failure() != "")
            store.put("s/b", "10.0.0.2:80")
            let again = try await FakeEtcd(store, at: etcd.address)
            await resolving.addresses("10.0.0.1:80", "10.0.0.2:80")
            await store.wait { $0.watchers.count == 1 }
            store.update { $0.delete("s/a") }
            await resolving.addresses("10.0.0.2:80")
            await again.stop()
        }
    }

    @Test(
        "Another endpoint is used in place of one that refuses, or that takes calls and is silent")
    func endpoints() async throws {
        var configuration = EtcdConfiguration.test
        configuration.timeout = .milliseconds(500)
        try await withEtcd { store, etcd in
            store.put("s/a", "10.0.0.1:80")
            let refusing = try RawListener()
            let silent = try RawListener()
            try silent.listen()
            let name = "etcd://\(refusing.address),\(silent.address),\(etcd.address)/s"
            try await resolving(name, by: EtcdResolver(configuration)) { resolving in
                await resolving.addresses("10.0.0.1:80")
            }
            withExtendedLifetime((refusing, silent)) {}
        }
    }

    @Test("Values that are no servers are ignored with a line in the log")
    func garbage() async throws {
        let lines = try LogLines()
        try await withEtcd { store, etcd in
            store.update { $0.put("s/a", "garbage") }
            store.put("s/b", "10.0.0.1:80")
            let resolver = EtcdResolver(.test, logger: lines.logger)
            try await resolving("etcd://\(etcd.address)/s", by: resolver) { resolving in
                await resolving.addresses("10.0.0.1:80")
            }
        }
        #expect(lines.end().contains("server ignored"))
    }

    @Test("Of 10,001 keys 10,000 are taken, and the other one when there is room")
    func limit() async throws {
        try await withEtcd { store, etcd in
            store.update { state in
                for number in 1...10_001 {
                    state.put("s/\(number)", #"{"Addr":"10.0.0.1:\#(number)"}"#)
                }
            }
            try await resolving("etcd://\(etcd.address)/s", by: resolver) { resolving in
                #expect(await resolving.list().count == 10_000)
                await store.wait { $0.watchers.count == 1 }
                store.update { $0.delete("s/1") }
                // The last one in the order of the keys.
                _ = await resolving.list {
                    $0.count == 10_000 && $0.last?.text == "10.0.0.1:9999"
                }
            }
        }
    }

    @Test(
        "Names that can't be used are errors at once",
        arguments: [
            "etcd:///", "etcd:////", "etcd://x,10.0.0.1:1/s", "etcd://dns.name:2379/s",
            "etcd:///" + String(repeating: "x", count: 2000),
        ])
    func wrong(name: String) {
        #expect {
            try resolver.check(RPCTarget(name))
        } throws: {
            ($0 as? RPCError)?.code == .peerAddress
        }
    }

    @Test("Without addresses in the name, those of the configuration are used")
    func configured() async throws {
        try await withEtcd { store, etcd in
            store.put("s/a", "10.0.0.1:80")
            var configuration = EtcdConfiguration.test
            configuration.endpoints = "list:\(etcd.address)"
            try await resolving("etcd:///s/", by: EtcdResolver(configuration)) { resolving in
                await resolving.addresses("10.0.0.1:80")
            }
        }
    }
}
