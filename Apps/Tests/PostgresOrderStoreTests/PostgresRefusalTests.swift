import OrderStoreConformance
import OrderStoring
import Postgres
import RocketSystem
import Testing

@testable import PostgresOrderStore

/// Transactions that the database undoes, and connections that it refuses.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct PostgresRefusalTests {
    private let draft = OrderDraft(price: 10, goods: "apple")

    /// Lets each attempt to store an order do this first. `attempts` counts them, also undone ones.
    private func intercept(_ statement: String, in harness: PostgresHarness) throws {
        try harness.execute(
            """
            CREATE SEQUENCE attempts;
            CREATE FUNCTION intercept() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE attempt bigint := nextval('attempts');
                BEGIN \(statement) RETURN NEW; END $$;
            CREATE TRIGGER intercept BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION intercept();
            """)
    }

    private func attempts(_ harness: PostgresHarness) throws -> String {
        try harness.execute("SELECT last_value FROM attempts")
    }

    @Test("A deadlock is not the caller's: the transaction is tried again")
    func deadlock() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open()
        try intercept(
            "IF attempt < 4 THEN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END IF;",
            in: harness)
        let order = try await store.make(draft)
        #expect(try await store.orders(limit: 10).orders == [order])
        #expect(store.statistics.failures == 0)
        #expect(try attempts(harness) == "4")
        await store.close()
    }

    @Test("A deadlock that comes each time is told after five attempts")
    func deadlocks() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open()
        try intercept("RAISE EXCEPTION 'again' USING ERRCODE = '40001';", in: harness)
        let error = await #expect(throws: OrderStoreError.self) { try await store.make(draft) }
        #expect(error == .unavailable(reason: "again (SQLSTATE 40001)"))
        #expect(try attempts(harness) == "5")
        await store.close()
    }

    @Test("A transaction that ends its connection each time is given up")
    func fatal() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open()
        try intercept("PERFORM pg_terminate_backend(pg_backend_pid());", in: harness)
        let error = await #expect(throws: OrderStoreError.self) { try await store.make(draft) }
        guard case .unavailable? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try attempts(harness) == "5")
        try harness.execute("DROP TRIGGER intercept ON orders")
        let order = try await store.make(draft)
        #expect(try await store.orders(limit: 10).orders == [order])
        await store.close()
    }

    @Test("A disk that is full at the server is told as one, and orders are stored when it is not")
    func diskFull() async throws {
        let harness = try PostgresHarness()
        let events = Locked<[OrderStoreEvent]>([])
        let store = try await harness.open { _ in
        } settings: {
            var settings = ConformanceSettings()
            settings.observe = { event in events.withLock { $0.append(event) } }
            return settings
        }
        try intercept(
            "IF attempt = 1 THEN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END IF;",
            in: harness)
        let error = await #expect(throws: OrderStoreError.self) { try await store.make(draft) }
        #expect(error == .diskFull)
        let order = try await store.make(draft)
        #expect(try await store.orders(limit: 10).orders == [order])
        #expect(events.withLock { $0.first } == .writesFail(.diskFull))
        await store.close()
    }

    @Test("An order that the database refuses does not take the others of its transaction along")
    func oneOfMany() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open()
        try harness.execute("ALTER TABLE orders ADD CHECK (goods <> 'bad')")
        let lock = try await HeldLock(harness)
        // The first one waits for the lock, so that the others become one transaction.
        async let first = store.make(draft)
        try await harness.wait(
            for: "1",
            """
            SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE locktype = 'advisory' AND NOT granted AND a.datname = current_database()
            """)
        let tasks = (0..<20).map { number in
            Task {
                try await store.make(
                    OrderDraft(
                        price: 10, goods: number == 7 ? "bad" : "\(number)",
                        idempotencyKey: "\(number)"))
            }
        }
        while store.statistics.waiting < 20 { await Task.yield() }
        lock.release()
        var made: [Order] = [try await first]
        for (number, task) in tasks.enumerated() {
            switch await task.result {
            case .success(let order): made.append(order)
            case .failure(let error):
                #expect(number == 7)
                guard case .failed(let reason)? = error as? OrderStoreError else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(reason.contains("check constraint"))
            }
        }
        #expect(made.count == 20)
        #expect(Set(try await store.orders(limit: 100).orders) == Set(made))
        await store.close()
    }

    @Test("A start does not wait for ever for a server that changes the tables")
    func heldSchema() async throws {
        let harness = try PostgresHarness()
        let lock = try await HeldLock(harness, PostgresSchema.schemaLock)
        let error = await #expect(throws: OrderStoreError.self) {
            try await harness.open {
                $0.statementTimeout = .seconds(1)
                $0.connectTimeout = .seconds(10)
            }
        }
        let text = error?.description ?? ""
        #expect(text.contains("another server creates or changes its tables"), "\(text)")
        lock.release()
        try await harness.open().close()
        // Whoever needs no change does not need the lock.
        let second = try await HeldLock(harness, PostgresSchema.schemaLock)
        try await harness.open().close()
        second.release()
    }

    @Test("A start does not wait for ever for a server that stores orders")
    func heldOrders() async throws {
        let harness = try PostgresHarness()
        try await harness.open().close()
        let lock = try await HeldLock(harness)
        let error = await #expect(throws: OrderStoreError.self) {
            try await harness.open { $0.statementTimeout = .seconds(1) }
        }
        guard case .unavailable(let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("lock timeout"))
        lock.release()
        try await harness.open().close()
    }

    @Test("A database that has no connection left is told at the start")
    func noConnections() async throws {
        let harness = try PostgresHarness()
        let role = "limited_\(harness.database)"
        try harness.execute("CREATE ROLE \(role) LOGIN CONNECTION LIMIT 1;")
        try harness.execute("GRANT ALL ON SCHEMA public TO \(role)")
        let url = try PostgresURL(
            "postgresql://\(role)@/\(harness.database)?host=\(harness.server.folder)")
        let text = await harness.openFailure(url, ["too many connections for role"])
        #expect(text.contains("too many connections for role"), "\(text)")
    }

    @Test("Expired keys are deleted faster than they are made")
    func manyExpiredKeys() async throws {
        let harness = try PostgresHarness()
        try await harness.open().close()
        try harness.execute(
            "INSERT INTO idempotency_keys SELECT n::text, n, 1 FROM generate_series(1, 2500) n")
        let store = try await harness.open()
        // Each time that something is to be done.
        while try harness.execute("SELECT count(*) FROM idempotency_keys WHERE created_ms = 1")
            != "0"
        {
            _ = try await store.make(draft)
        }
        await store.close()
    }
}
