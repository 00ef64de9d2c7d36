import OrderStoreConformance
import OrderStoring
import Postgres
import RocketBaseTestKit
import RocketSystem
import Testing

@testable import PostgresOrderStore

/// Several servers on one database, and databases that are no store.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct SharedDatabaseTests {
    @Test("Servers share orders and keys, and each tells all orders in one order, once")
    func servers() async throws {
        let harness = try PostgresHarness()
        // All of them create the tables.
        async let a = harness.open()
        async let b = harness.open()
        async let c = harness.open()
        let stores = try await [a, b, c]
        let told = stores.map { store in
            let told = Locked<[Order]>([])
            _ = store.onStored { order in told.withLock { $0.append(order) } }
            return { @Sendable in told.withLock { $0 } }
        }
        let isOver = Locked(false)
        async let read = follow(stores[0]) { isOver.withLock { $0 } }
        let made = try await withThrowingTaskGroup(of: Order.self) { group in
            for number in 0..<600 {
                group.addTask {
                    let key = number % 2 == 0 ? "\(number / 6)" : nil
                    let draft = OrderDraft(
                        price: 10, goods: key ?? "\(number)", idempotencyKey: key)
                    let order = try await stores[number % 3].make(draft)
                    // That of a key may be another server's, which is told soon.
                    if key == nil { #expect(told[number % 3]().contains(order)) }
                    return order
                }
            }
            return try await group.reduce(into: Set<Order>()) { $0.insert($1) }
        }
        isOver.withLock { $0 = true }
        // 300 without a key, and 100 keys.
        #expect(made.count == 400)
        let orders = try await read
        #expect(orders.count == 400 && Set(orders) == made)
        for (store, told) in zip(stores, told) {
            let last = try #require(orders.last)
            let position = try await store.position(after: last.id, for: LocalPageCaller())
            #expect(position == OrderPageToken(after: last.id))
            // The position is known when all orders up to it were told.
            #expect(told() == orders)
        }
        for store in stores { await store.close() }
    }

    private func follow(
        _ store: PostgresOrderStore, until isOver: @Sendable () -> Bool
    ) async throws -> [Order] {
        var read: [Order] = []
        var position = OrderPageToken.start
        while true {
            let ends = isOver()
            let page = try await store.orders(from: position, limit: 50)
            read += page.orders
            if let last = page.orders.last { position = OrderPageToken(after: last.id) }
            if ends, page.next == nil { return read }
        }
    }

    @Test("A database of a newer version is refused")
    func newerSchema() async throws {
        let harness = try PostgresHarness()
        try await harness.open().close()
        try harness.execute("INSERT INTO order_schema VALUES (1000)")
        let path = try harness.server.url(harness.database).description
        await #expect(throws: OrderStoreError.newerSchema(path: path)) { try await harness.open() }
    }

    @Test("A database with another encoding is refused")
    func encoding() async throws {
        let harness = try PostgresHarness()
        let name = "latin_\(harness.database)"
        try harness.execute(
            "CREATE DATABASE \(name) ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        let url = try harness.server.url(name)
        let error = await #expect(throws: OrderStoreError.self) {
            try await PostgresOrderStore.open(PostgresOrderStoreConfiguration(url: url))
        }
        #expect(error?.description.contains("UTF8") == true, "\(String(describing: error))")
    }

    @Test("A database that is not there is told")
    func missing() async throws {
        let server = try PostgresServer.shared.get()
        var configuration = PostgresOrderStoreConfiguration(url: try server.url("nowhere"))
        configuration.connectTimeout = .milliseconds(200)
        let error = await #expect(throws: OrderStoreError.self) {
            try await PostgresOrderStore.open(configuration)
        }
        #expect(error?.description.contains("nowhere") == true, "\(String(describing: error))")
    }

    @Test("A server that can't be reached is told after the time for it")
    func unreachable() async throws {
        var configuration = PostgresOrderStoreConfiguration(
            url: try PostgresURL("postgresql://rocket@/orders?host=/nowhere"))
        configuration.connectTimeout = .milliseconds(200)
        let error = await #expect(throws: OrderStoreError.self) {
            try await PostgresOrderStore.open(configuration)
        }
        let text = error?.description ?? ""
        #expect(
            text.contains("postgresql://rocket@/nowhere/orders") && text.contains("No such file"))
    }

    @Test("Confirmed orders are synced whatever the database's default is")
    func synchronousCommit() async throws {
        let harness = try PostgresHarness()
        try harness.execute("ALTER DATABASE \(harness.database) SET synchronous_commit = off")
        let store = try await harness.open()
        try harness.execute(
            """
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                NEW.goods := current_setting('synchronous_commit'); RETURN NEW; END $$;
            CREATE TRIGGER note BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();
            """)
        let order = try await store.make(OrderDraft(price: 10, goods: "apple"))
        #expect(try await store.order(order.id)?.goods == "on")
        await store.close()
    }

    @Test("Statements are planned once, and with indexes, also while the tables are empty")
    func plans() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open()
        try harness.execute(
            """
            CREATE TABLE seen(mode text, seqscan text, hashjoin text);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO seen SELECT current_setting('plan_cache_mode'),
                    current_setting('enable_seqscan'), current_setting('enable_hashjoin');
                RETURN NEW; END $$;
            CREATE TRIGGER note BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION note();
            """)
        _ = try await store.make(OrderDraft(price: 10, goods: "apple"))
        #expect(try harness.execute("TABLE seen") == "force_generic_plan|off|off")
        await store.close()
    }

    @Test("An expired key that somebody has locked stops no order")
    func lockedKey() async throws {
        let harness = try PostgresHarness()
        let time = ManualTimeSource()
        let store = try await harness.open(keepingKeysFor: .seconds(60), time)
        for key in ["locked", "other"] {
            _ = try await store.make(OrderDraft(price: 10, goods: "a", idempotencyKey: key))
        }
        let lock = try await HeldLock(
            harness,
            by: "BEGIN; SELECT FROM idempotency_keys WHERE key = 'locked' FOR UPDATE;",
            seenAs: "mode = 'RowShareLock' AND relation = 'idempotency_keys'::regclass")
        time.advance(by: .seconds(121))
        try await harness.wait(for: "locked", "SELECT key FROM idempotency_keys")
        _ = try await store.make(OrderDraft(price: 10, goods: "a"))
        lock.release()
        await store.close()
    }

    @Test("Expired keys and old batches are deleted")
    func sweep() async throws {
        let harness = try PostgresHarness()
        let time = ManualTimeSource()
        let store = try await harness.open(keepingKeysFor: .seconds(60), time)
        for number in 0..<5 {
            _ = try await store.make(
                OrderDraft(price: 10, goods: "a", idempotencyKey: "\(number)"))
        }
        time.advance(by: .seconds(121))
        try await harness.wait(for: "0", "SELECT count(*) FROM idempotency_keys")
        #expect(try harness.execute("SELECT count(*) FROM order_batches") == "1")
        await store.close()
    }
}

extension PostgresHarness {
    /// A store whose keys expire by this clock.
    fileprivate func open(
        keepingKeysFor retention: Duration, _ time: ManualTimeSource
    ) async throws -> PostgresOrderStore {
        try await open {
            $0.keyRetention = retention
        } settings: {
            var settings = ConformanceSettings()
            settings.time = time
            return settings
        }
    }
}
