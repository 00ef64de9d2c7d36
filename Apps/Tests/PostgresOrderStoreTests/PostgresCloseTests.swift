import Foundation
import OrderStoreConformance
import OrderStoring
import Postgres
import RocketSystem
import Testing

@testable import PostgresOrderStore

/// A store that is closed while its database is silent.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct PostgresCloseTests {
    private let draft = OrderDraft(price: 10, goods: "apple")

    private func result(
        _ body: () async throws(OrderStoreError) -> Order?
    ) async -> Result<Order?, OrderStoreError> {
        do throws(OrderStoreError) { return .success(try await body()) } catch {
            return .failure(error)
        }
    }

    @Test("A store that is closed while the database is silent ends without it")
    func silent() async throws {
        let harness = try PostgresHarness()
        let proxy = try SocketProxy(to: harness.server.folder)
        let events = Locked<[OrderStoreEvent]>([])
        let store = try await harness.open(host: proxy.folder) {
            $0.closeTimeout = .milliseconds(100)
            $0.maxBatch = 1
            // Nothing but what the test sends.
            $0.keyRetention = .zero
            $0.followInterval = .seconds(3600)
            // It would end later, with another reason.
            $0.statementTimeout = .seconds(5)
        } settings: {
            var settings = ConformanceSettings()
            settings.observe = { event in events.withLock { $0.append(event) } }
            return settings
        }
        let first = try await store.make(draft)
        try FileManager.default.removeItem(atPath: proxy.folder)
        proxy.loseEverything()
        let calls = [
            Task { await result { () throws(OrderStoreError) in try await store.make(draft) } },
            Task { await result { () throws(OrderStoreError) in try await store.make(draft) } },
            Task { await result { () throws(OrderStoreError) in try await store.order(first.id) } },
        ]
        while proxy.lostRequests < 2 { await Task.yield() }
        await store.close()
        var results: [Result<Order?, OrderStoreError>] = []
        for call in calls { results.append(await call.value) }
        // One order is sent at a time.
        let unknown = OrderStoreError.outcomeUnknown(
            reason: "the database has not answered before the store was closed")
        #expect(results.prefix(2).filter { $0 == .failure(unknown) }.count == 1)
        #expect(results.prefix(2).filter { $0 == .failure(.closed) }.count == 1)
        #expect(results[2] == .failure(.closed))
        #expect(events.withLock { $0 } == [.writesFail(unknown), .closedUnanswered(orders: 1)])
    }

    @Test("The time to close is limited also while the database answers, within an outage too")
    func slow() async throws {
        let harness = try PostgresHarness()
        let events = Locked<[OrderStoreEvent]>([])
        let store = try await harness.open {
            $0.closeTimeout = .milliseconds(100)
            $0.keyRetention = .zero
            // The database answers these.
            $0.followInterval = .milliseconds(1)
        } settings: {
            var settings = ConformanceSettings()
            settings.observe = { event in events.withLock { $0.append(event) } }
            return settings
        }
        // Orders of apples wait for this lock in their transaction; others fail.
        try harness.execute(
            """
            CREATE FUNCTION block() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF NEW.goods <> 'apple' THEN RAISE 'the test lets it fail'; END IF;
                PERFORM pg_advisory_xact_lock(99);
                RETURN NEW;
            END $$;
            CREATE TRIGGER block BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION block();
            """)
        let lock = try await HeldLock(harness, 99)
        // The outage, which hides the failures behind it.
        await #expect(throws: OrderStoreError.self) {
            try await store.make(OrderDraft(price: 20, goods: "pear"))
        }
        let call = Task {
            await result { () throws(OrderStoreError) in try await store.make(draft) }
        }
        try await harness.wait(
            for: "1",
            """
            SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
            WHERE locktype = 'advisory' AND objid = 99 AND NOT granted
                AND datname = current_database()
            """)
        await store.close()
        lock.release()
        let reason = "the database has not answered before the store was closed"
        #expect(await call.value == .failure(.outcomeUnknown(reason: reason)))
        #expect(events.withLock { $0.last } == .closedUnanswered(orders: 1))
    }

    @Test("A lost transaction that is not found out before the end has an unknown outcome")
    func unknown() async throws {
        let harness = try PostgresHarness()
        let proxy = try SocketProxy(to: harness.server.folder)
        let store = try await harness.open(host: proxy.folder) {
            $0.closeTimeout = .milliseconds(100)
            $0.resolveTimeout = .seconds(600)
        }
        _ = try await store.make(draft)
        // No other connection is opened.
        try FileManager.default.removeItem(atPath: proxy.folder)
        proxy.loseReplies()
        let call = Task {
            await result { () throws(OrderStoreError) in try await store.make(draft) }
        }
        try await harness.wait(for: "2", "SELECT count(*) FROM orders")
        await store.close()
        let reason = "the database has not answered before the store was closed"
        #expect(await call.value == .failure(.outcomeUnknown(reason: reason)))
    }
}
