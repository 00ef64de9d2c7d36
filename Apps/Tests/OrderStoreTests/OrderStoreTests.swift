import Foundation
import OrderStoring
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

struct OrderStoreTests {
    @Test("The connection of the writer syncs at every commit")
    func durability() throws {
        let folder = try TemporaryFolder()
        let pool = try OrderDatabase.open(
            OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        ).pool
        let settings = try pool.writeWithoutTransaction { db in
            (
                try Int.fetchOne(db, sql: "PRAGMA synchronous"),
                try String.fetchOne(db, sql: "PRAGMA journal_mode")
            )
        }
        #expect(settings.0 == 2)
        #expect(settings.1 == "wal")
        try pool.close()
    }

    @Test("After a close that follows reads, the database file alone has all orders")
    func checkpoint() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/orders.sqlite"
        let store = try OrderStore(OrderStoreConfiguration(path: path))
        for _ in 0..<10 {
            let order = try await store.make(OrderDraft(price: 10, goods: "apple"))
            _ = try await store.order(order.id)
        }
        await store.close()
        let copy = folder.path + "/copy.sqlite"
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        let count = try DatabaseQueue(path: copy).read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM orders")
        }
        #expect(count == 10)
    }
}
