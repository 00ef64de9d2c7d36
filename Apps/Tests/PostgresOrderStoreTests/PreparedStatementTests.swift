import OrderStoreConformance
import OrderStoring
import Postgres
import RocketSystem
import Testing

@testable import PostgresOrderStore

/// Prepared statements that a change of the tables, or another party, has made useless.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct PreparedStatementTests {
    private let draft = OrderDraft(price: 10, goods: "apple", idempotencyKey: "k")

    @Test("It is known in all languages of the server that a statement has other results")
    func translated() {
        let text = "gecachter Plan darf den Ergebnistyp nicht ändern"
        let routine = "RevalidateCachedQuery"
        #expect(
            PostgresError(state: "0A000", message: text, routine: routine).isOfPreparedStatement)
        // Another feature that is not supported.
        #expect(
            !PostgresError(state: "0A000", message: text, routine: "x").isOfPreparedStatement)
        #expect(!PostgresError(state: "0A000", message: text).isOfPreparedStatement)
    }

    /// Processes of the store at the server.
    private func processes(_ harness: PostgresHarness) throws -> String {
        try harness.execute(
            """
            SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity
            WHERE application_name = 'order_server' AND datname = current_database()
            """)
    }

    @Test("After a change of the tables, statements are prepared anew on the same connections")
    func alteredTable() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open()
        let first = try await store.make(draft)
        #expect(try await store.orders(limit: 10).orders == [first])
        let before = try processes(harness)
        for type in ["bigint", "integer"] {
            try harness.execute("ALTER TABLE orders ALTER COLUMN price TYPE \(type)")
            // Many in one pipeline, of which the first one fails.
            let reads = (0..<20).map { _ in Task { try await store.order(first.id) } }
            for read in reads { #expect(try await read.value == first) }
            #expect(try await store.make(draft) == first)
        }
        let second = try await store.make(OrderDraft(price: 20, goods: "pear"))
        #expect(try await store.orders(limit: 10).orders == [first, second])
        #expect(try processes(harness) == before)
        #expect(store.statistics.failures == 0)
        await store.close()
    }

    @Test("Statements that were deallocated are prepared anew, and no order fails")
    func deallocated() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open()
        try harness.execute(
            """
            CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN EXECUTE 'DEALLOCATE ALL'; RETURN NULL; END $$;
            CREATE TRIGGER forget AFTER INSERT ON orders EXECUTE FUNCTION forget();
            """)
        var made: [Order] = []
        for price in 0..<5 as Range<Int32> {
            made.append(try await store.make(OrderDraft(price: price, goods: "apple")))
        }
        #expect(try await store.orders(limit: 10).orders == made)
        #expect(store.statistics.failures == 0)
        await store.close()
    }

    @Test(
        "Statements are prepared anew each time that something was executed since, also if it failed"
    )
    func afterFailure() async throws {
        let harness = try PostgresHarness()
        // Nothing but the orders.
        let store = try await harness.open { $0.keyRetention = .zero }
        try harness.execute(
            """
            CREATE SEQUENCE attempts;
            CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE attempt bigint = nextval('attempts');
                BEGIN
                    IF attempt IN (1, 3) THEN RAISE 'it is gone' USING ERRCODE = '26000'; END IF;
                    IF attempt = 2 THEN RAISE 'no apples' USING ERRCODE = '23514'; END IF;
                    RETURN NEW;
                END $$;
            CREATE TRIGGER forget BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION forget();
            """)
        let error = await #expect(throws: OrderStoreError.self) { try await store.make(draft) }
        #expect(error == .failed(reason: "no apples (SQLSTATE 23514)"))
        let order = try await store.make(draft)
        #expect(try harness.execute("SELECT last_value FROM attempts") == "4")
        #expect(try await store.orders(limit: 10).orders == [order])
        await store.close()
    }

    @Test(
        "A statement that can't be executed after it was prepared anew fails, and later ones work")
    func hopeless() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open()
        try harness.execute(
            """
            CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'it is gone' USING ERRCODE = '26000'; END $$;
            CREATE TRIGGER forget BEFORE INSERT ON orders EXECUTE FUNCTION forget();
            """)
        for _ in 0..<2 {
            let error = await #expect(throws: OrderStoreError.self) { try await store.make(draft) }
            #expect(error == .failed(reason: "it is gone (SQLSTATE 26000)"))
        }
        try harness.execute("DROP TRIGGER forget ON orders")
        let order = try await store.make(draft)
        #expect(try await store.orders(limit: 10).orders == [order])
        await store.close()
    }
}
