import Foundation
import OrderStoring
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

struct OrderStoreFailureTests {
    @Test("A full disk fails with an error, loses no order, and recovers once there is space")
    func fullDisk() async throws {
        try await withStore(configure: { $0.maxPages = 40 }) { store in
            let goods = String(repeating: "x", count: 4000)
            var made: [Order] = []
            await #expect(throws: OrderStoreError.diskFull) {
                while made.count < 100 {
                    made.append(try await store.make(OrderDraft(price: 10, goods: goods)))
                }
            }
            #expect(made.count > 10)
            #expect(try await store.orders(limit: 100).orders == made)

            try otherConnection(to: store).write { db in
                try db.execute(sql: "DELETE FROM orders WHERE sequence <= 5")
            }
            let next = try await store.make(OrderDraft(price: 10, goods: goods))
            #expect(try await store.order(next.id) == next)
            #expect(store.statistics.failures == 1)
            let report = try OrderStore.checkIntegrity(ofFileAt: store.configuration.path)
            #expect(report.isSound, "\(report)")
        }
    }

    @Test("The error for a folder that can't be created has its path")
    func noFolder() throws {
        let path = "/proc/no/such/orders.sqlite"
        let error = #expect(throws: OrderStoreError.self) {
            try OrderStore(OrderStoreConfiguration(path: path))
        }
        #expect(error?.description.contains(path) == true)
    }

    @Test("Refuses a file that is not a database and does not change it")
    func noDatabase() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        let text = String(repeating: "this is text, not a database\n", count: 100)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: OrderStoreError.self) {
            try OrderStore(OrderStoreConfiguration(path: path))
        }
        #expect(error?.description.contains("not a database") == true)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }

    @Test("Refuses a store written by a newer version")
    func newerSchema() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        let store = try OrderStore(configuration)
        try otherConnection(to: store).write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('2 of the future')")
        }
        await store.close()
        #expect(throws: OrderStoreError.newerSchema(path: configuration.path)) {
            try OrderStore(configuration)
        }
    }

    @Test("A store written by a newer version stays as it is, and is not restored")
    func newerCopy() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { db in
            try OrderSchema.migrate(db)
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('3 of the future')")
        }
        try queue.close()
        let content = FileManager.default.contents(atPath: path)
        #expect(throws: OrderStoreError.newerSchema(path: path)) {
            try OrderStore(OrderStoreConfiguration(path: path))
        }
        #expect(throws: OrderStoreError.newerSchema(path: path)) {
            try OrderStore.restore(fileAt: folder.path + "/restored.sqlite", from: path)
        }
        #expect(FileManager.default.contents(atPath: path) == content)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    }

    @Test("A folder in place of a store is reported as one")
    func folderInPlaceOfStore() throws {
        let folder = try TemporaryFolder()
        let error = OrderStoreError.damaged(path: folder.path, reason: "it is a folder")
        #expect(throws: error) { try OrderStore.checkIntegrity(ofFileAt: folder.path) }
        #expect(throws: error) {
            try OrderStore.restore(fileAt: folder.path + "/orders.sqlite", from: folder.path)
        }
    }

    @Test("In a folder that can't be written no store is created, and whose the folder is is told")
    func folderOfOthers() throws {
        // Root may write to any folder.
        guard UserAccount.effectiveUID != 0 else { return }
        let folder = try TemporaryFolder()
        try #require(chmod(folder.path, 0o500) == 0)
        defer { chmod(folder.path, 0o700) }
        let error = #expect(throws: OrderStoreError.self) {
            try OrderStore(OrderStoreConfiguration(path: folder.path + "/orders.sqlite"))
        }
        guard case .notPermitted(_, let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("\(folder.path) belongs to"))
    }

    @Test("Checks a sound store and counts its orders while it is open")
    func soundCheck() async throws {
        try await withStore { store in
            let path = store.configuration.path
            #expect(try OrderStore.checkIntegrity(ofFileAt: path).newest == nil)
            var last: Order?
            for _ in 0..<3 { last = try await store.make(OrderDraft(price: 10, goods: "a")) }
            let report = try OrderStore.checkIntegrity(ofFileAt: path)
            #expect(report.isSound)
            #expect(report.orders == 3)
            #expect(report.newest == last?.id)
            #expect(report.description.hasSuffix("0 idempotency keys: sound"))
        }
    }

    @Test("Detects a damaged page")
    func damage() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        let store = try OrderStore(OrderStoreConfiguration(path: path))
        let goods = String(repeating: "x", count: 2000)
        for _ in 0..<40 { _ = try await store.make(OrderDraft(price: 10, goods: goods)) }
        await store.close()

        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for offset in (bytes.count - 8 * 4096)..<(bytes.count - 4 * 4096) { bytes[offset] = 0xA5 }
        try bytes.write(to: URL(fileURLWithPath: path))
        let report = try OrderStore.checkIntegrity(ofFileAt: path)
        #expect(!report.isSound)
    }

    @Test("Fails to check a missing file and does not create it")
    func nothingToCheck() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        #expect(throws: OrderStoreError.self) { try OrderStore.checkIntegrity(ofFileAt: path) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
