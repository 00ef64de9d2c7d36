import Foundation
import OrderStoring
import RocketBaseTestKit
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

/// From the present tables to those of a next version, which only these tests have.
struct OrderMigrationTests {
    private static let next = OrderMigration(
        name: "3 currency of orders",
        sql: "ALTER TABLE orders ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR'")
    private static let failing = OrderMigration(name: "4 fails", sql: "CREATE TABLE orders(a)")

    @Test("A store of the present version is copied first, then migrated, and keeps everything")
    func migration() async throws {
        let folder = try TemporaryFolder()
        let configuration = try await presentStore(in: folder)
        let database = try OrderDatabase.open(
            configuration, time: ManualTimeSource(),
            migrations: OrderSchema.migrations + [Self.next])
        let backup = configuration.path + ".v2-20260101T000000Z"
        #expect(database.events == [.migrated(from: 2, to: 3, backup: backup)])
        let rows = try database.pool.read { db in
            try Row.fetchAll(db, sql: "SELECT sequence, goods, currency FROM orders")
        }
        #expect(rows.map { $0[0] as Int } == [1, 2, 4])
        #expect(rows.map { $0[1] as String } == ["apple", "苹果", "pear"])
        #expect(rows.allSatisfy { $0[2] as String == "EUR" })
        try database.pool.close()
        database.lock.unlock()

        let report = try OrderStore.checkIntegrity(ofFileAt: backup)
        #expect(report.isSound && report.version == 2 && report.orders == 3 && report.keys == 1)
        // The present program refuses what the next one has made, and changes nothing.
        #expect(throws: OrderStoreError.newerSchema(path: configuration.path)) {
            try OrderStore(configuration)
        }
        let newer = try OrderStore.checkIntegrity(ofFileAt: configuration.path)
        #expect(newer.problems.contains { $0.contains("newer order_server") })
        // The way back.
        _ = try OrderStore.restore(fileAt: configuration.path, from: backup)
        try await checkPresent(configuration)
    }

    @Test("A migration that fails leaves the store as it was, also what succeeded before it")
    func failure() async throws {
        let folder = try TemporaryFolder()
        let configuration = try await presentStore(in: folder)
        #expect(throws: OrderStoreError.self) {
            try OrderDatabase.open(
                configuration, migrations: OrderSchema.migrations + [Self.next, Self.failing])
        }
        #expect(try OrderStore.checkIntegrity(ofFileAt: configuration.path).version == 2)
        #expect(
            try FileSystem.names(in: folder.path).allSatisfy { !$0.contains(".v2-") },
            "no copy is left, or starts that fail would fill the disk")
        try await checkPresent(configuration)
    }

    private func firstVersionStore(in folder: TemporaryFolder) throws -> OrderStoreConfiguration {
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        let queue = try DatabaseQueue(path: configuration.path)
        try queue.writeWithoutTransaction { db in
            try OrderSchema.migrate(db, with: Array(OrderSchema.migrations.prefix(1)))
        }
        try queue.close()
        return configuration
    }

    @Test("Of a store that a symbolic link leads to, all files are beside the database")
    func link() async throws {
        let (folder, links) = (try TemporaryFolder(), try TemporaryFolder())
        let target = try firstVersionStore(in: folder)
        let path = links.path + "/link.sqlite"
        try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: target.path)
        let database = try OrderDatabase.open(
            OrderStoreConfiguration(path: path), time: ManualTimeSource())
        let backup = target.path + ".v1-20260101T000000Z"
        #expect(database.events == [.migrated(from: 1, to: 2, backup: backup)])
        // Where the writer looks for free space.
        #expect(database.files.path == target.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: links.path) == ["link.sqlite"])
        try database.pool.close()
    }

    @Test("A server of another store in the folder does not keep a store from its migration")
    func otherServer() async throws {
        let folder = try TemporaryFolder()
        let configuration = try firstVersionStore(in: folder)
        let other = try FolderLock(ofStoreAt: folder.path + "/other.sqlite", .shared)
        let events = EventRecorder()
        await (try OrderStore(configuration, observe: events.observe)).close()
        #expect(events.all.count == 1)
        // It keeps the files from being replaced, with the reason.
        let error = #expect(throws: OrderStoreError.self) {
            try OrderStore.compact(fileAt: configuration.path)
        }
        #expect(error?.description.contains("another one in its folder") == true)
        other.unlock()
        _ = try OrderStore.compact(fileAt: configuration.path)
    }

    @Test("A store of the first version is migrated")
    func firstVersion() async throws {
        let folder = try TemporaryFolder()
        let configuration = try firstVersionStore(in: folder)
        let events = EventRecorder()
        let store = try OrderStore(
            configuration, time: ManualTimeSource(), observe: events.observe)
        await store.close()
        let backup = configuration.path + ".v1-20260101T000000Z"
        #expect(events.all == [.migrated(from: 1, to: 2, backup: backup)])
        #expect(try OrderStore.checkIntegrity(ofFileAt: backup).version == 1)
    }

    @Test("A migration that leaves a key without its order is refused")
    func references() async throws {
        let folder = try TemporaryFolder()
        let configuration = try await presentStore(in: folder)
        let losing = OrderMigration(name: "3 loses", sql: "DELETE FROM orders WHERE sequence = 4")
        #expect(throws: OrderStoreError.self) {
            try OrderDatabase.open(configuration, migrations: OrderSchema.migrations + [losing])
        }
        try await checkPresent(configuration)
    }

    @Test("A database without tables of orders is refused")
    func otherDatabase() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        try DatabaseQueue(path: configuration.path).write {
            try $0.execute(sql: "CREATE TABLE t(a)")
        }
        #expect(throws: OrderStoreError.self) { try OrderStore(configuration) }
    }

    /// A store as version 0.1 has made it: the text of its tables, not the code of today.
    private func presentStore(in folder: TemporaryFolder) async throws -> OrderStoreConfiguration {
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        let queue = try DatabaseQueue(path: configuration.path)
        try queue.writeWithoutTransaction { db in
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL;
                    CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
                    INSERT INTO grdb_migrations VALUES ('1 orders and idempotency keys');
                    INSERT INTO grdb_migrations VALUES ('2 index of idempotency keys by time');
                    CREATE TABLE orders(
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
                        price INTEGER NOT NULL,
                        goods TEXT NOT NULL,
                        created_ms INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE idempotency_keys(
                        sequence INTEGER PRIMARY KEY REFERENCES orders(sequence),
                        created_ms INTEGER NOT NULL,
                        key TEXT NOT NULL UNIQUE
                    ) STRICT;
                    CREATE INDEX idempotency_keys_created ON idempotency_keys(created_ms);
                    INSERT INTO orders VALUES (1, 10, 'apple', 1767225600000);
                    INSERT INTO orders VALUES (2, 20, '苹果', 1767225600001);
                    INSERT INTO orders VALUES (4, 40, 'pear', 1767225600002);
                    INSERT INTO idempotency_keys VALUES (4, 1767225600002, 'k');
                    UPDATE sqlite_sequence SET seq = 7 WHERE name = 'orders';
                    """)
        }
        try queue.close()
        return configuration
    }

    private func checkPresent(_ configuration: OrderStoreConfiguration) async throws {
        let store = try OrderStore(configuration, time: ManualTimeSource())
        let orders = try await store.orders(limit: 10).orders
        #expect(orders.map(\.goods) == ["apple", "苹果", "pear"])
        let known = OrderDraft(price: 40, goods: "pear", idempotencyKey: "k")
        #expect(try await store.make(known) == orders.last)
        #expect(try await store.make(OrderDraft(price: 10, goods: "plum")).id.sequence == 8)
        await store.close()
    }
}
