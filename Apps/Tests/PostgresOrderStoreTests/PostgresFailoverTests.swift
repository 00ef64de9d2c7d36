import Foundation
import OrderStoreConformance
import OrderStoring
import Postgres
import RocketSystem
import Testing

@testable import PostgresOrderStore

/// Several hosts: standbys are not written to, and take over with all orders that were confirmed.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct PostgresFailoverTests {
    private let draft = OrderDraft(price: 10, goods: "apple")

    private func url(_ hosts: [String], _ harness: PostgresHarness) throws -> PostgresURL {
        try PostgresURL(
            "postgresql://rocket@/\(harness.database)?host=\(hosts.joined(separator: ","))")
    }

    @Test("A standby takes over with all orders that were confirmed; before, it is not written to")
    func failover() async throws {
        let primary = try PostgresServer()
        let harness = try PostgresHarness(primary)
        let standby = try PostgresServer(standbyOf: primary)
        try primary.configure("ALTER SYSTEM SET synchronous_standby_names = '*'")
        try await harness.wait(
            for: "sync", "SELECT string_agg(sync_state, ',') FROM pg_stat_replication")
        let url = try url([standby.folder, primary.folder], harness)
        let events = Locked<[OrderStoreEvent]>([])
        let stores = [
            try await harness.open(url) { _ in
            } settings: {
                var settings = ConformanceSettings()
                settings.observe = { event in events.withLock { $0.append(event) } }
                return settings
            },
            try await harness.open(url),
        ]
        let isOver = Flag()
        let tasks = (0..<8).map { task in
            Task {
                var made: [Order] = []
                var numbers = 0
                while !isOver.isSet {
                    numbers += 1
                    let key = task < 4 ? "\(task) \(numbers)" : nil
                    let draft = OrderDraft(
                        price: Int32(task), goods: "\(numbers)", idempotencyKey: key)
                    let order = try await stores[task % 2].make(draft)
                    made.append(order)
                    // Also with the other server, which may be at another host for a moment.
                    if key != nil {
                        let again = try await stores[(task + 1) % 2].make(draft)
                        #expect(again == order)
                    }
                }
                return made
            }
        }
        func store(_ count: UInt64) async {
            let before = stores.map(\.statistics.orders)
            while zip(stores, before).contains(where: { $0.statistics.orders < $1 + count }) {
                await Task.yield()
            }
        }
        await store(50)
        try primary.stop()
        try standby.promote()
        await store(50)
        isOver.set()
        var made: [Order] = []
        for task in tasks { made += try await task.value }
        var listed: [Order] = []
        var next: OrderPageToken? = .start
        while let token = next {
            let page = try await stores[0].orders(from: token, limit: 1000)
            listed += page.orders
            next = page.next
        }
        #expect(Set(made).isSubset(of: listed))
        #expect(Set(listed).count == listed.count && made.count == listed.count)
        for store in stores { await store.close() }
        #expect(
            events.withLock { events in
                events.contains {
                    if case .reconnected(let host, _) = $0 { host == standby.folder } else { false }
                }
            })
        let keys = try standby.execute(
            "SELECT count(*), count(DISTINCT sequence) FROM idempotency_keys", in: harness.database)
        let withKeys = made.filter { $0.price < 4 }.count
        #expect(keys == "\(withKeys)|\(withKeys)")
    }

    @Test("A standby alone is refused with the reason")
    func standbyOnly() async throws {
        let primary = try PostgresServer()
        let harness = try PostgresHarness(primary)
        try await harness.open().close()
        let standby = try PostgresServer(standbyOf: primary)
        for attributes in ["", "&target_session_attrs=any"] {
            let url = try PostgresURL(
                "postgresql://rocket@/\(harness.database)?host=\(standby.folder)\(attributes)")
            let text = await harness.openFailure(url, ["read-only", "takes no writes"])
            #expect(text.contains("read-only") || text.contains("takes no writes"), "\(text)")
        }
    }

    @Test("A host that accepts connections and never answers does not hide the next one")
    func silentHost() async throws {
        let harness = try PostgresHarness()
        let silent = try SocketProxy(to: nil)
        let url = try url([silent.folder, harness.server.folder], harness)
        let store = try await harness.open(url) { $0.connectTimeout = .seconds(10) }
        let order = try await store.make(draft)
        #expect(try await store.orders(limit: 10).orders == [order])
        await store.close()
    }

    @Test("What is wrong with each host is told")
    func allHosts() async throws {
        let harness = try PostgresHarness()
        let url = try url(["/nowhere", "/elsewhere"], harness)
        let text = await harness.openFailure(url, ["/elsewhere/.s"])
        #expect(text.contains("/nowhere/.s") && text.contains("/elsewhere/.s"), "\(text)")
    }

    @Test("A database that becomes read-only while it is used gets its orders when it is not")
    func demoted() async throws {
        let server = try PostgresServer()
        let harness = try PostgresHarness(server)
        let store = try await harness.open()
        let load = OrderLoad(store)
        try server.configure("ALTER SYSTEM SET default_transaction_read_only = on")
        // The writer has given its connection up.
        try await harness.wait(
            for: "0",
            """
            SELECT count(*) FROM pg_stat_activity WHERE application_name = 'order_server'
            AND query NOT LIKE 'SELECT%'
            """)
        try server.configure("ALTER SYSTEM RESET default_transaction_read_only")
        let made = try await load.end()
        #expect(try await store.orders(limit: 1000).orders.count == min(1000, made.count))
        #expect(store.statistics.failures == 0)
        await store.close()
        #expect(try harness.execute("SELECT count(*) FROM orders") == "\(made.count)")
    }

    @Test("A commit that is not on a standby is not confirmed, whoever ends the wait for it")
    func cancelledReplication() async throws {
        let server = try PostgresServer()
        let harness = try PostgresHarness(server)
        // Without transactions that delete keys.
        let store = try await harness.open { $0.keyRetention = .zero }
        let load = OrderLoad(store)
        try server.configure("ALTER SYSTEM SET synchronous_standby_names = 'missing'")
        func wait(without pids: [String]) async throws -> String {
            while true {
                let pid = try harness.execute(
                    "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
                if !pid.isEmpty, !pids.contains(pid) { return pid }
                await Task.yield()
            }
        }
        let first = try await wait(without: [])
        try harness.execute("SELECT pg_cancel_backend(\(first))")
        // It is committed, and visible; no standby has it. The next connection waits for one.
        let second = try await wait(without: [first])
        let confirmed = load.count
        #expect(try harness.execute("SELECT count(*) FROM orders") == "\(confirmed + 1)")
        try harness.execute("SELECT pg_terminate_backend(\(second))")
        _ = try await wait(without: [first, second])
        #expect(load.count == confirmed)
        try server.configure("ALTER SYSTEM RESET synchronous_standby_names")
        let made = try await load.end()
        await store.close()
        #expect(made.count > confirmed && Set(made.map(\.id)).count == made.count)
        #expect(try harness.execute("SELECT count(*) FROM orders") == "\(made.count)")
    }

    @Test("A connection that is silent for too long is given up, and its order is stored once")
    func halfOpen() async throws {
        let harness = try PostgresHarness()
        let proxy = try SocketProxy(to: harness.server.folder)
        let store = try await harness.open(host: proxy.folder) {
            $0.statementTimeout = .seconds(1)
        }
        let first = try await store.make(draft)
        proxy.loseEverything()
        let second = try await store.make(draft)
        #expect(try await store.orders(limit: 10).orders == [first, second])
        await store.close()
    }

    @Test("When the writer finds another server, the reader goes there")
    func readerFollows() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open()
        let first = try await store.make(draft)
        #expect(try await store.order(first.id) == first)
        let all = """
            SELECT string_agg(pid::text, ',' ORDER BY query NOT LIKE 'SELECT sequence%') FROM
            pg_stat_activity WHERE application_name = 'order_server' AND datname = current_database()
            """
        let pids = try harness.execute(all).split(separator: ",").map(String.init)
        #expect(pids.count == 2)
        try harness.execute("SELECT pg_terminate_backend(\(pids[1]))")
        var now = pids
        while now.count < 2 || now.contains(where: pids.contains) {
            await Task.yield()
            now = try harness.execute(all).split(separator: ",").map(String.init)
        }
        let order = try await store.make(draft)
        #expect(try await store.order(order.id) == order)
        await store.close()
    }
}

/// Makes orders, one after the other, until `end`.
private final class OrderLoad: Sendable {
    private let isOver = Flag()
    private let made = Locked<[Order]>([])
    private let task = Locked<Task<Void, any Error>?>(nil)

    init(_ store: PostgresOrderStore) {
        let task = Task {
            repeat {
                let order = try await store.make(OrderDraft(price: 10, goods: "apple"))
                made.withLock { $0.append(order) }
            } while !isOver.isSet
        }
        self.task.withLock { $0 = task }
    }

    /// How many orders were confirmed.
    var count: Int { made.withLock { $0.count } }

    func end() async throws -> [Order] {
        isOver.set()
        try await task.withLock { $0 }?.value
        return made.withLock { $0 }
    }
}
