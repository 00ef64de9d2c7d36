import Foundation
import Glibc
import OrderStoreConformance
import OrderStoring
import Postgres
import RocketBaseTestKit
import RocketSystem
import Testing

@testable import PostgresOrderStore

/// Connections, servers and statements that fail: what was confirmed exists once, and what was not is
/// stored or refused, never both.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct PostgresFaultTests {
    private let draft = OrderDraft(price: 10, goods: "apple")

    /// Ends the server's processes of the store.
    private static let terminate = """
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name = 'order_server' AND datname = current_database()
        """

    /// How many transactions of the store wait for the lock.
    private static let waiting = """
        SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE locktype = 'advisory' AND NOT granted AND a.datname = current_database()
        """

    /// Makes orders with and without keys from several tasks until `stop`.
    private func load(
        _ store: PostgresOrderStore, while body: () async throws -> Void
    ) async throws -> [Order] {
        let isOver = Flag()
        let tasks = (0..<8).map { task in
            Task {
                var made: [Order] = []
                while !isOver.isSet || made.count < 10 {
                    let key = task < 4 ? "\(task) \(made.count)" : nil
                    made.append(
                        try await store.make(
                            OrderDraft(
                                price: Int32(task), goods: "\(made.count)",
                                idempotencyKey: key)))
                }
                return made
            }
        }
        do { try await body() } catch { Issue.record(error) }
        isOver.set()
        var made: [Order] = []
        for task in tasks { made += try await task.value }
        return made
    }

    private func expect(_ made: [Order], in harness: PostgresHarness) async throws {
        let store = try await harness.open()
        var listed: [Order] = []
        var next: OrderPageToken? = .start
        while let token = next {
            let page = try await store.orders(from: token, limit: 1000)
            listed += page.orders
            next = page.next
        }
        await store.close()
        #expect(Set(listed) == Set(made))
        #expect(listed.count == made.count)
        #expect(try harness.execute("SELECT count(*) FROM idempotency_keys") != "0")
    }

    @Test("Backends that end lose no order and double none")
    func terminatedBackends() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open()
        let made = try await load(store) {
            for _ in 0..<10 { try harness.execute(Self.terminate) }
        }
        await store.close()
        try await expect(made, in: harness)
    }

    @Test("A server that crashes and starts again loses no order and doubles none")
    func restartedServer() async throws {
        let server = try PostgresServer()
        let harness = try PostgresHarness(server)
        let store = try await harness.open()
        let made = try await load(store) { for _ in 0..<2 { try server.restart() } }
        await store.close()
        try await expect(made, in: harness)
    }

    @Test("A commit without its standby is not confirmed after a crash of the server either")
    func crashWithoutStandby() async throws {
        let server = try PostgresServer()
        let harness = try PostgresHarness(server)
        // Without transactions that delete keys.
        let store = try await harness.open { $0.keyRetention = .zero }
        let isOver = Flag()
        let made = Locked<[Order]>([])
        let making = Task { [draft] in
            while !isOver.isSet {
                let order = try await store.make(draft)
                made.withLock { $0.append(order) }
            }
        }
        let waiting = """
            SELECT count(*) FROM pg_stat_activity
            WHERE application_name = 'order_server' AND wait_event = 'SyncRep'
            """
        try harness.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        try harness.execute("SELECT pg_reload_conf()")
        try await harness.wait(for: "1", waiting)
        let confirmed = made.withLock(\.count)
        try server.restart()
        // The order is in the database; the store waits for the standby before it answers.
        try await harness.wait(for: "1", waiting)
        #expect(try harness.execute("SELECT count(*) FROM orders") == "\(confirmed + 1)")
        #expect(made.withLock(\.count) == confirmed)
        isOver.set()
        try harness.execute("ALTER SYSTEM RESET synchronous_standby_names")
        try harness.execute("SELECT pg_reload_conf()")
        try await making.value
        #expect(made.withLock(\.count) == confirmed + 1)
        await store.close()
        #expect(try harness.execute("SELECT count(*) FROM orders") == "\(confirmed + 1)")
    }

    @Test("Connections that are cut at any moment lose no order and double none")
    func cutConnections() async throws {
        let harness = try PostgresHarness()
        let proxy = try SocketProxy(to: harness.server.folder)
        let store = try await harness.open(host: proxy.folder)
        let made = try await load(store) {
            for round in 0..<8 {
                if round % 2 == 0 { proxy.loseConnections() } else { proxy.loseReplies() }
                // Until the store has stored again.
                let orders = store.statistics.orders
                while store.statistics.orders == orders { await Task.yield() }
            }
        }
        await store.close()
        try await expect(made, in: harness)
    }

    @Test("A commit whose reply is lost is found, and its order is returned")
    func lostReply() async throws {
        let harness = try PostgresHarness()
        let proxy = try SocketProxy(to: harness.server.folder)
        let store = try await harness.open(host: proxy.folder)
        let known = OrderDraft(price: 1, goods: "pear", idempotencyKey: "k")
        let first = try await store.make(known)
        proxy.loseReplies()
        async let order = store.make(draft)
        async let again = store.make(known)
        #expect(try await again == first)
        let second = try await order
        #expect(second.id.sequence == 2)
        #expect(try await store.orders(limit: 10).orders == [first, second])
        #expect(store.statistics.failures == 0)
        await store.close()
    }

    @Test("A transaction that still waits when its connection is lost is not stored twice")
    func lostWaiting() async throws {
        let harness = try PostgresHarness()
        let proxy = try SocketProxy(to: harness.server.folder)
        let store = try await harness.open(host: proxy.folder)
        let lock = try await HeldLock(harness)
        async let order = store.make(draft)
        try await harness.wait(
            for: "1", Self.waiting)
        proxy.loseConnections()
        // It was made impossible on the next connection, and is sent again; the old one goes on waiting.
        try await harness.wait(
            for: "2", Self.waiting)
        lock.release()
        let made = try await order
        #expect(try await store.orders(limit: 10).orders == [made])
        await store.close()
        #expect(try harness.execute("SELECT count(*) FROM orders") == "1")
    }

    @Test("A statement that takes too long stores nothing, and says so")
    func slowStatement() async throws {
        let harness = try PostgresHarness()
        let store = try await harness.open { $0.statementTimeout = .milliseconds(200) }
        let lock = try await HeldLock(harness)
        let error = await #expect(throws: OrderStoreError.self) { try await store.make(draft) }
        guard case .unavailable(let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("timeout") && error?.description.contains("nothing was") == true)
        lock.release()
        // The server may notice the end of the lock's holder later than the next statement.
        var made: Order?
        while made == nil { made = try? await store.make(draft) }
        #expect(try await store.orders(limit: 10).orders == [made])
        await store.close()
    }

    @Test("Reads that take long together are not given up, while each is answered in time")
    func longPipeline() async throws {
        let harness = try PostgresHarness()
        let first = try await harness.open()
        let order = try await first.make(draft)
        await first.close()
        try harness.execute("ALTER TABLE orders RENAME TO all_orders")
        try harness.execute(
            """
            CREATE VIEW orders AS SELECT o.* FROM all_orders o, pg_sleep(0.2);
            CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER never INSTEAD OF INSERT OR DELETE ON orders
                FOR EACH ROW EXECUTE FUNCTION never();
            """)
        let events = Locked<[OrderStoreEvent]>([])
        // No answer for four seconds ends a connection.
        let store = try await harness.open {
            $0.statementTimeout = .seconds(2)
            $0.followInterval = .seconds(3600)
        } settings: {
            var settings = ConformanceSettings()
            settings.observe = { event in events.withLock { $0.append(event) } }
            return settings
        }
        // The first one is sent alone; the others are one pipeline.
        let reads = (0..<31).map { _ in Task { try await store.order(order.id) } }
        for read in reads { #expect(try await read.value == order) }
        #expect(events.withLock { $0 }.isEmpty)
        await store.close()
    }

    @Test("A database that is read-only is refused, and orders are stored when it is not any more")
    func readOnly() async throws {
        let harness = try PostgresHarness()
        let events = Locked<[OrderStoreEvent]>([])
        let store = try await harness.open {
            $0.outageTimeout = .milliseconds(300)
        } settings: {
            var settings = ConformanceSettings()
            settings.observe = { event in events.withLock { $0.append(event) } }
            return settings
        }
        try harness.execute(
            "ALTER DATABASE \(harness.database) SET default_transaction_read_only = on")
        try harness.execute(Self.terminate)
        // What is sent before the connections end may be committed.
        var outages: [OrderStoreEvent] = []
        while outages.isEmpty {
            await Task.yield()
            outages = events.withLock { events in
                events.filter { if case .writesFail(.unavailable) = $0 { true } else { false } }
            }
        }
        // Where connecting takes longer than the time of the outage, that is the reason at first.
        var reason = ""
        while !reason.contains("read-only") {
            let error = await #expect(throws: OrderStoreError.self) { try await store.make(draft) }
            guard case .unavailable(let text)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            reason = text
        }
        await #expect(throws: OrderStoreError.self) { try await store.orders(limit: 1) }
        #expect(outages.count == 1)
        _ = try harness.server.execute(
            "ALTER DATABASE \(harness.database) RESET default_transaction_read_only",
            in: "postgres")
        var made: Order?
        while made == nil { made = try? await store.make(draft) }
        #expect(try harness.execute("SELECT count(*) FROM orders") == "1")
        await store.close()
    }

    @Test("What waits when the database can't be reached is refused after the time for it")
    func outage() async throws {
        let server = try PostgresServer()
        let harness = try PostgresHarness(server)
        let proxy = try SocketProxy(to: server.folder)
        let store = try await harness.open(host: proxy.folder) {
            $0.outageTimeout = .milliseconds(200)
        }
        let order = try await store.make(draft)
        try FileManager.default.removeItem(atPath: proxy.folder)
        proxy.loseConnections()
        for _ in 0..<3 {
            let error = await #expect(throws: OrderStoreError.self) { try await store.make(draft) }
            guard case .unavailable? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        let error = await #expect(throws: OrderStoreError.self) { try await store.order(order.id) }
        guard case .unavailable? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        // It does not wait for the database to end.
        await store.close()
    }
}

/// False until it is set. Any thread.
final class Flag: Sendable {
    private let state = Locked(false)

    var isSet: Bool { state.withLock { $0 } }

    func set() { state.withLock { $0 = true } }
}

/// A client that has the lock of those who store orders until `release`.
final class HeldLock {
    private let client: RunningProgram

    convenience init(
        _ harness: PostgresHarness, _ lock: Int64 = PostgresSchema.writeLock
    ) async throws {
        try await self.init(
            harness, by: "SELECT pg_advisory_lock(\(lock));", seenAs: "locktype = 'advisory'")
    }

    /// - Parameter condition: what the lock is known by in `pg_locks`.
    init(_ harness: PostgresHarness, by sql: String, seenAs condition: String) async throws {
        client = try RunningProgram([
            PostgresServer.psql, "-h", harness.server.folder, "-U", "rocket", "-d",
            harness.database, "-XAtq",
        ])
        try client.write(sql + "\n")
        try await harness.wait(
            for: "1",
            """
            SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE \(condition) AND granted AND a.datname = current_database()
                AND a.application_name = 'psql'
            """)
    }

    func release() {
        // Others are blocked in children of Swift's threads.
        client.send(SIGKILL)
        client.wait()
    }
}

extension PostgresHarness {
    /// Waits until a statement has a result.
    func wait(for result: String, _ sql: String) async throws {
        while try execute(sql) != result { await Task.yield() }
    }
}
