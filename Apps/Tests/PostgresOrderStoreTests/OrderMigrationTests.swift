import Foundation
import OrderStore
import OrderStoreConformance
import OrderStoring
import Postgres
import RocketBaseTestKit
import RocketSystem
import SQLite
import Testing

@testable import PostgresOrderStore

/// A store in a file that is copied into a database.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct OrderMigrationTests {
    private let folder = NSTemporaryDirectory() + "order-migration-" + UUID().uuidString
    private let time = ManualTimeSource()
    private var path: String { folder + "/orders.sqlite" }

    private func store(
        _ path: String? = nil, _ body: (OrderStore) async throws -> Void
    ) async throws {
        var configuration = OrderStoreConfiguration(path: path ?? self.path)
        configuration.keyRetention = .seconds(60)
        let store = try OrderStore(configuration, time: time)
        do { try await body(store) } catch { Issue.record(error) }
        await store.close()
    }

    /// Makes so many orders with keys.
    private func make(_ count: Int, _ name: String = "key", at path: String? = nil) async throws {
        try await store(path) { store in
            for number in 0..<count {
                let draft = OrderDraft(
                    price: 10, goods: "\(number)", idempotencyKey: "\(name) \(number)")
                _ = try await store.make(draft)
            }
        }
    }

    private func open(_ harness: PostgresHarness) async throws -> PostgresOrderStore {
        try await harness.open {
            $0.keyRetention = .seconds(60)
        } settings: {
            var settings = ConformanceSettings()
            settings.time = time
            return settings
        }
    }

    private func migrate(
        _ harness: PostgresHarness, from path: String? = nil
    ) async throws -> OrderMigrationReport {
        try await migrate(OrderStoreExport(fileAt: path ?? self.path), harness)
    }

    private func migrate(
        _ source: some OrderExporting, _ harness: PostgresHarness
    ) async throws -> OrderMigrationReport {
        try await PostgresOrderStore.migrate(source, to: harness.server.url(harness.database))
    }

    /// Ends a migration when so many blocks of five orders were copied.
    private func end(_ harness: PostgresHarness, after blocks: Int) async throws {
        await #expect(throws: OrderStoreError.closed) {
            try await migrate(EndingExport(OrderStoreExport(fileAt: path), after: blocks), harness)
        }
    }

    /// The error of a migration that is refused.
    private func refusal(
        _ harness: PostgresHarness, from path: String? = nil
    ) async throws -> OrderStoreError {
        try #require(
            await #expect(throws: OrderStoreError.self) { try await migrate(harness, from: path) })
    }

    private func withFolder(_ body: (PostgresHarness) async throws -> Void) async throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(PostgresHarness())
    }

    @Test("Ids, positions, times and keys are those of the file, and new ids go on behind them")
    func everything() async throws {
        try await withFolder { harness in
            try await make(30)
            let known = OrderDraft(price: 10, goods: "3", idempotencyKey: "key 3")
            var old: [Order] = []
            var page = OrderPage(orders: [], next: nil)
            var same: Order?
            try await store { store in
                old = try await store.orders(limit: 100).orders
                page = try await store.orders(limit: 10)
                same = try await store.make(known)
                // The number of an order that was removed is not given again.
                _ = try await store.make(OrderDraft(price: 10, goods: "removed"))
            }
            try DatabaseQueue(path: path).write {
                try $0.execute(sql: "DELETE FROM orders WHERE goods = 'removed'")
            }
            let report = try await migrate(harness)
            #expect(report.orders == 30 && report.keys == 30 && report.copied == 30)
            #expect(report.checksums != nil && report.endedBefore == nil)

            let store = try await open(harness)
            #expect(try await store.orders(limit: 100).orders == old)
            let next = try #require(page.next)
            let rest = try await store.orders(from: next, limit: 100).orders
            #expect(page.orders + rest == old)
            #expect(try await store.order(old[5].id) == old[5])
            #expect(try await store.make(known) == same)
            let other = OrderDraft(price: 11, goods: "3", idempotencyKey: "key 3")
            await #expect(throws: OrderStoreError.keyReused(old[3].id)) {
                try await store.make(other)
            }
            // The time of the key goes on.
            time.advance(by: .seconds(61))
            let expired = try await store.make(other)
            #expect(expired.id.sequence == 32)
            await store.close()
            #expect(
                try harness.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == "0"
            )
        }
    }

    @Test("An empty store is migrated")
    func empty() async throws {
        try await withFolder { harness in
            try await make(0)
            let report = try await migrate(harness)
            #expect(report.orders == 0 && report.keys == 0)
            let store = try await open(harness)
            #expect(try await store.make(OrderDraft(price: 10, goods: "a")).id.sequence == 1)
            await store.close()
        }
    }

    @Test(
        "A migration that has ended is not repeated, and one whose file was used since is refused")
    func repeated() async throws {
        try await withFolder { harness in
            try await make(3)
            #expect(try await migrate(harness).endedBefore == nil)
            let again = try await migrate(harness)
            #expect(again.endedBefore?.hasSuffix("Z") == true)
            #expect(again.orders == 3 && again.keys == 3 && again.copied == 0)
            try await make(1, "later")
            let error = try await refusal(harness)
            guard case .cannotCreate(_, let reason) = error else { throw error }
            #expect(reason.contains("orders were made in \(path)"))
        }
    }

    @Test(
        "A database with orders of others is refused and not changed, also after they were deleted")
    func otherOrders() async throws {
        try await withFolder { harness in
            let store = try await open(harness)
            _ = try await store.make(OrderDraft(price: 10, goods: "a"))
            try await make(3)
            for _ in 0..<2 {
                let error = try await refusal(harness)
                guard case .cannotCreate(_, let reason) = error else { throw error }
                #expect(reason.contains("use an empty database"))
                try harness.execute("DELETE FROM orders")
            }
            #expect(try harness.execute("SELECT count(*) FROM order_migration") == "0")
            _ = try await store.make(OrderDraft(price: 10, goods: "a"))
            await store.close()
        }
    }

    @Test("While a migration has not ended, servers store nothing and do not start")
    func unfinished() async throws {
        try await withFolder { harness in
            let running = try await open(harness)
            try await make(20)
            try await end(harness, after: 2)
            #expect(try harness.execute("SELECT count(*) FROM orders") == "10")

            let refused = await #expect(throws: OrderStoreError.self) {
                try await running.make(OrderDraft(price: 10, goods: "a"))
            }
            #expect(
                refused == .unavailable(reason: "orders are being migrated into the database"))
            let start = await #expect(throws: OrderStoreError.self) { try await open(harness) }
            guard case .inUse(_, let text)? = start else { throw try #require(start) }
            #expect(text.contains("order_server --migrate \(path) URL"))

            #expect(try await migrate(harness).copied == 10)
            #expect(
                try await running.make(OrderDraft(price: 10, goods: "a")).id.sequence == 21)
            await running.close()
        }
    }

    @Test("Blocks that differ are copied again, when the file was used between two runs")
    func usedBetween() async throws {
        try await withFolder { harness in
            try await make(20)
            try await end(harness, after: 3)
            try DatabaseQueue(path: path).write {
                try $0.execute(
                    sql: """
                        DELETE FROM idempotency_keys WHERE sequence IN (2, 7, 8);
                        DELETE FROM orders WHERE sequence = 2;
                        INSERT INTO orders(price, goods, created_ms) VALUES (10, 'late', 1);
                        -- The key of order 7 again.
                        INSERT INTO idempotency_keys VALUES (21, 1, 'key 6');
                        """)
            }
            let report = try await migrate(EndingExport(OrderStoreExport(fileAt: path)), harness)
            // 15 were copied; 5 of the last block and the late one are new, and two blocks differ.
            #expect(report.orders == 20 && report.keys == 18 && report.copied == 6 + 5 + 5)
            let key = "SELECT sequence FROM idempotency_keys WHERE key = 'key 6'"
            #expect(try harness.execute(key) == "21")
        }
    }

    @Test("The migration of another store does not go on with one that has begun")
    func anotherStore() async throws {
        try await withFolder { harness in
            try await make(20)
            try await end(harness, after: 2)
            let other = folder + "/other/orders.sqlite"
            time.advance(by: .seconds(1))
            try await make(30, at: other)
            let begun = try await refusal(harness, from: other)
            guard case .cannotCreate(_, let reason) = begun else { throw begun }
            #expect(reason.contains("it has a part of another store, of \(path)"))
            #expect(try await migrate(harness).orders == 20)
            let ended = try await refusal(harness, from: other)
            #expect(ended.description.contains("the orders of another store"))
        }
    }

    @Test(
        "A text that PostgreSQL can't store ends the migration, which goes on when it was changed")
    func zeroByte() async throws {
        try await withFolder { harness in
            try await store { store in
                _ = try await store.make(OrderDraft(price: 10, goods: "a\0b"))
            }
            let error = try await refusal(harness)
            guard case .damaged(path, let reason) = error else { throw error }
            #expect(reason.contains("the order with the sequence number 1"))
            try DatabaseQueue(path: path).write {
                try $0.execute(sql: "UPDATE orders SET goods = 'ab'")
            }
            #expect(try await migrate(harness).orders == 1)
        }
    }

    @Test("A database that stores other values is found by the comparison, and can't be used")
    func changingDatabase() async throws {
        try await withFolder { harness in
            await (try await open(harness)).close()
            try harness.execute(
                """
                CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.sequence = 2 THEN NEW.goods := 'other'; END IF; RETURN NEW; END $$;
                CREATE TRIGGER change BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION change();
                """)
            try await make(3)
            let error = try await refusal(harness)
            guard case .damaged(let name, let reason) = error else { throw error }
            #expect(name == (try harness.server.url(harness.database).description))
            #expect(reason.contains("the orders behind number 0"))
            await #expect(throws: OrderStoreError.self) { try await open(harness) }
            try harness.execute("DROP TRIGGER change ON orders")
            #expect(try await migrate(harness).copied == 3)
        }
    }

    @Test("Two migrations into a database do not run at a time")
    func locked() async throws {
        try await withFolder { harness in
            let url = try harness.server.url(harness.database)
            let first = try await OrderImport.open(url, statementTimeout: .seconds(60))
            let error = await #expect(throws: OrderStoreError.self) {
                try await OrderImport.open(
                    url, statementTimeout: .seconds(60), lockTimeout: .milliseconds(1))
            }
            guard case .inUse(_, let reason)? = error else { throw try #require(error) }
            #expect(reason == "another migration into it is running")
            await first.client.close()
        }
    }

    @Test("An end of the connection ends the migration, which goes on where it was")
    func lostConnection() async throws {
        try await withFolder { harness in
            try await make(20)
            func source() throws -> EndingExport {
                try EndingExport(OrderStoreExport(fileAt: path), after: 3, terminate)
            }
            func terminate() {
                _ = try? harness.execute(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE application_name = 'order_server --migrate'
                        AND datname = current_database()
                    """)
            }
            let error = await #expect(throws: OrderStoreError.self) {
                try await migrate(source(), harness)
            }
            guard case .unavailable? = error else { throw try #require(error) }
            let report = try await migrate(harness)
            #expect(report.orders == 20 && report.keys == 20)
        }
    }
}

/// A store with blocks of five orders, which fails, or calls a function, at one of them.
private final class EndingExport: OrderExporting {
    private let store: OrderStoreExport
    private var left: Int
    private let end: (() -> Void)?

    init(_ store: OrderStoreExport, after blocks: Int = .max, _ end: (() -> Void)? = nil) {
        self.store = store
        left = blocks
        self.end = end
    }

    var path: String { store.path }
    var orders: Int64 { store.orders }
    var newest: OrderID? { store.newest }
    var lastSequence: Int64 { store.lastSequence }

    func count(through sequence: Int64) throws(OrderStoreError) -> Int64 {
        try store.count(through: sequence)
    }

    func createdMilliseconds(of sequence: Int64) throws(OrderStoreError) -> Int64? {
        try store.createdMilliseconds(of: sequence)
    }

    func block(after sequence: Int64) throws(OrderStoreError) -> OrderBlock {
        if left == 0 {
            guard let end else { throw .closed }
            end()
        }
        left -= 1
        let whole = try store.block(after: sequence)
        guard whole.orders.count > 5 else { return whole }
        let through = whole.orders[4].id.sequence
        return OrderBlock(
            after: sequence, through: through, orders: Array(whole.orders.prefix(5)),
            idempotencyKeys: whole.idempotencyKeys.filter { $0.sequence <= through })
    }
}
