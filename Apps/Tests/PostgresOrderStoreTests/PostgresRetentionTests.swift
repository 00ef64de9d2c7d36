import OrderStoreConformance
import OrderStoring
import Postgres
import RocketBaseTestKit
import RocketSystem
import Testing

@testable import PostgresOrderStore

/// Orders older than the retention are deleted from the database.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct PostgresRetentionTests {
    private final class Shared: Sendable {
        let all = Locked<[OrderStoreEvent]>([])
    }

    private static let day = Duration.seconds(86_400)

    private let time = ManualTimeSource()
    private let events = Shared()

    private func open(
        _ harness: PostgresHarness, days: Int, keys: Duration = .seconds(3600)
    ) async throws -> PostgresOrderStore {
        try await harness.open {
            $0.retention = Self.day * days
            $0.keyRetention = keys
        } settings: {
            var settings = ConformanceSettings()
            settings.time = time
            settings.observe = { [events] event in events.all.withLock { $0.append(event) } }
            return settings
        }
    }

    private func make(_ count: Int, _ store: PostgresOrderStore, key: String? = nil) async throws {
        for number in 0..<count {
            _ = try await store.make(
                OrderDraft(
                    price: 10, goods: "\(number)", idempotencyKey: key.map { "\($0) \(number)" }))
        }
    }

    private static let count = "SELECT count(*) FROM orders"
    private static let locks = """
        SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND datname = current_database()
        """

    @Test("Old orders and their keys are deleted, others and ids stay, and the number is reported")
    func deletion() async throws {
        let harness = try PostgresHarness()
        let store = try await open(harness, days: 30)
        try await make(3, store, key: "old")
        let next = try #require(try await store.orders(limit: 2).next)
        time.advance(by: Self.day * 29)
        try await make(2, store, key: "young")
        time.advance(by: Self.day * 2)
        try await harness.wait(for: "2", Self.count)
        let left = try await store.orders(from: next, limit: 10).orders
        #expect(left.map(\.id.sequence) == [4, 5])
        let keys = "SELECT count(*) FROM idempotency_keys WHERE sequence < 4"
        #expect(try harness.execute(keys) == "0")
        // The lock is released at the end of the pass.
        try await harness.wait(for: "0", Self.locks)
        let order = try await store.make(
            OrderDraft(price: 10, goods: "other", idempotencyKey: "old 0"))
        #expect(order.id.sequence == 6)
        await store.close()
        #expect(events.all.withLock { $0 } == [.ordersDeleted(3)])
    }

    @Test("Orders with a key that has not expired, and those of a clock that was ahead, are kept")
    func kept() async throws {
        let harness = try PostgresHarness()
        let store = try await open(harness, days: 1, keys: Self.day * 10)
        try await make(2, store, key: "a")
        try await make(3, store)
        try harness.execute(
            "UPDATE orders SET created_ms = created_ms + 86400000 * 5 WHERE sequence = 5")
        time.advance(by: Self.day * 3)
        try await harness.wait(for: "3", Self.count)
        #expect(
            try harness.execute(
                "SELECT string_agg(sequence::text, ' ' ORDER BY sequence) FROM orders")
                == "1 2 5")
        time.advance(by: Self.day * 4)
        try await harness.wait(for: "2", Self.count)
        time.advance(by: Self.day * 4)
        try await harness.wait(for: "0", Self.count)
        await store.close()
    }

    @Test("A pass has many steps, goes past orders that are kept, and stops at young ones")
    func steps() async throws {
        let harness = try PostgresHarness()
        await (try await open(harness, days: 0)).close()
        let now = time.wall().milliseconds
        let month = Self.day.milliseconds * 30
        try harness.execute(
            """
            INSERT INTO orders SELECT n, 10, 'old', \(now - month) FROM generate_series(1, 1000) n;
            INSERT INTO orders SELECT n, 10, 'late', \(now + month) FROM generate_series(1001, 1600) n;
            INSERT INTO orders SELECT n, 10, 'old', \(now - month) FROM generate_series(1601, 1700) n;
            INSERT INTO orders SELECT n, 10, 'young', \(now) FROM generate_series(1701, 2300) n;
            SELECT setval('order_sequence', 2300);
            """)
        let store = try await open(harness, days: 1)
        try await harness.wait(for: "1200", Self.count)
        try await make(1, store)
        await store.close()
        #expect(events.all.withLock { $0 } == [.ordersDeleted(1100)])
    }

    @Test("Old orders and expired keys are deleted also while orders are made without a pause")
    func busy() async throws {
        let harness = try PostgresHarness()
        let store = try await open(harness, days: 1)
        try await make(3, store, key: "old")
        let isOver = Flag()
        let tasks = (0..<8).map { _ in
            Task {
                while !isOver.isSet {
                    _ = try await store.make(OrderDraft(price: 10, goods: "new"))
                }
            }
        }
        time.advance(by: Self.day * 2)
        try await harness.wait(for: "0", "SELECT count(*) FROM idempotency_keys")
        try await harness.wait(for: "0", "SELECT count(*) FROM orders WHERE goods <> 'new'")
        isOver.set()
        for task in tasks { try await task.value }
        await store.close()
    }

    @Test("Of several servers one deletes, and another one does when that has ended")
    func oneServer() async throws {
        let harness = try PostgresHarness()
        let store = try await open(harness, days: 1)
        try await make(5, store)
        // Another server has begun, and hangs.
        let other = try await PostgresClient.open(
            harness.server.url(harness.database), PostgresLimits())
        try await other.execute([PostgresStatement(PostgresSchema.beginRetention.sql)]) { _ in }
        time.advance(by: Self.day * 2)
        try await harness.wait(
            for: "1",
            """
            SELECT count(*) FROM pg_stat_activity WHERE application_name = 'order_server'
                AND datname = current_database() AND query LIKE '%pg_try_advisory_lock%'
            """)
        #expect(try harness.execute(Self.count) == "5")
        await other.close()
        time.advance(by: PostgresRetention.interval)
        try await harness.wait(for: "0", Self.count)
        await store.close()
    }

    @Test("The steps as values: lock, orders, end; a failure ends the pass")
    func values() throws {
        var configuration = PostgresOrderStoreConfiguration(url: try .init("postgresql:///a"))
        #expect(PostgresRetention(configuration) == nil)
        configuration.retention = .seconds(1)
        var retention = try #require(PostgresRetention(configuration))
        let second = Duration.seconds(1)
        var now = MonotonicTime(nanoseconds: 0)
        func name() -> String { retention.statement(nowMilliseconds: 0).statement.name }
        func end(_ row: [Int64?]) -> [OrderStoreEvent] {
            let begin = now
            now = now + second
            return retention.ended(row, began: begin, at: now)
        }
        // Another server has the lock.
        #expect(name() == "begin_retention" && end([0]).isEmpty)
        #expect(retention.due == now + PostgresRetention.interval && name() == "begin_retention")
        #expect(end([1]).isEmpty && name() == "remove_orders")
        // At most a tenth of the time.
        #expect(end([200, 256, 256, 1, 1]).isEmpty)
        #expect(retention.due == now + second * 9 && name() == "remove_orders")
        // A long pass reports.
        now = now + PostgresRetention.reportInterval
        #expect(end([56, 512, 256, 1, 1]) == [.ordersDeleted(256)])
        // Young orders only.
        #expect(end([0, 768, 256, 0, 1]).isEmpty && name() == "end_retention")
        #expect(end([1]).isEmpty && name() == "begin_retention")
        #expect(retention.due == now + PostgresRetention.interval)
        // Only orders of a time to come do not end it, a short page does.
        _ = end([1])
        #expect(end([0, 256, 256, 0, 0]).isEmpty && name() == "remove_orders")
        #expect(end([3, 300, 44, 1, 0]).isEmpty && name() == "end_retention")
        #expect(end([1]) == [.ordersDeleted(3)])
        // An empty store.
        _ = end([1])
        #expect(end([0, nil, 0, nil, nil]).isEmpty && name() == "end_retention")
        _ = end([1])
        // A step that fails, and then a connection that is lost.
        _ = end([1])
        _ = end([5, 256, 256, 1, 1])
        #expect(retention.failed(isLost: false, at: now) == [.ordersDeleted(5)])
        #expect(name() == "end_retention")
        #expect(retention.failed(isLost: true, at: now).isEmpty && name() == "begin_retention")
        let due = now + PostgresRetention.interval
        #expect(retention.due == due)
        // Between two passes a lost connection delays nothing.
        now = now + second
        #expect(retention.failed(isLost: true, at: now).isEmpty && retention.due == due)
        _ = retention.failed(isLost: false, at: now)
        #expect(retention.due == due + second)
    }
}
