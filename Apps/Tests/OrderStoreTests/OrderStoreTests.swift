import Foundation
import GRDB
import Testing

@testable import OrderStore

struct OrderStoreTests {
    @Test("An order is found again by its id")
    func makeAndFind() async throws {
        try await withStore { store in
            let order = try await store.make(OrderDraft(price: 100, goods: "苹果 'apple'; --"))
            #expect(try await store.order(order.id) == order)
            #expect(order.price == 100)
            #expect(order.goods == "苹果 'apple'; --")
        }
    }

    @Test("An id that was never given finds nothing, nor does a right place on a wrong day")
    func unknownIDs() async throws {
        try await withStore { store in
            let order = try await store.make(OrderDraft(price: 100, goods: "apple"))
            let otherDay = OrderID(sequence: order.id.sequence, createdMilliseconds: 0)
            #expect(try await store.order(otherDay) == nil)
            let later = OrderID(
                sequence: order.id.sequence + 1, createdMilliseconds: order.createdMilliseconds)
            #expect(try await store.order(later) == nil)
        }
    }

    @Test("Orders are still there, and ids go on, after the store is opened again")
    func reopening() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        var made: [Order] = []
        for price in 1...3 {
            let store = try OrderStore(configuration)
            made.append(try await store.make(OrderDraft(price: Int32(price), goods: "apple")))
            await store.close()
        }
        let store = try OrderStore(configuration)
        #expect(try await store.orders(limit: 10).orders == made)
        #expect(made.map(\.id.sequence) == [1, 2, 3])
        await store.close()
    }

    @Test("Concurrent orders all get ids of their own and are all stored")
    func concurrency() async throws {
        try await withStore { store in
            let made = try await withThrowingTaskGroup(of: Order.self) { group in
                for number in 0..<500 {
                    group.addTask {
                        try await store.make(OrderDraft(price: Int32(number), goods: "apple"))
                    }
                }
                return try await group.reduce(into: Set<Order>()) { $0.insert($1) }
            }
            #expect(Set(made.map(\.id)).count == 500)
            #expect(Set(try await store.orders(limit: 1000).orders) == made)
            #expect(store.statistics.orders == 500)
        }
    }

    @Test("The writer's connection syncs at every commit")
    func durability() throws {
        let folder = try TemporaryFolder()
        let pool = try OrderDatabase.open(
            OrderStoreConfiguration(path: folder.path + "/orders.sqlite"))
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

    @Test("Pages follow each other without gaps or repeats and end with no token")
    func paging() async throws {
        try await withStore { store in
            var made: [Order] = []
            for number in 0..<7 {
                made.append(
                    try await store.make(OrderDraft(price: Int32(number), goods: "apple")))
            }
            var seen: [Order] = []
            var token: OrderPageToken? = .start
            while let place = token {
                let page = try await store.orders(from: place, limit: 3)
                #expect(page.orders.count <= 3)
                seen += page.orders
                token = page.next
            }
            #expect(seen == made)
        }
    }

    @Test("A page that ends exactly with the list has no next one")
    func lastPage() async throws {
        try await withStore { store in
            #expect(try await store.orders(limit: 5) == OrderPage(orders: [], next: nil))
            for _ in 0..<2 { _ = try await store.make(OrderDraft(price: 10, goods: "apple")) }
            #expect(try await store.orders(limit: 2).next == nil)
            #expect(try await store.orders(limit: 1).next == OrderPageToken(after: 1))
        }
    }

    @Test("A closed store finishes what waited and refuses what comes later")
    func closing() async throws {
        let folder = try TemporaryFolder()
        let store = try OrderStore(
            OrderStoreConfiguration(path: folder.path + "/orders.sqlite"))
        _ = try await store.make(OrderDraft(price: 10, goods: "apple"))
        await store.close()
        await #expect(throws: OrderStoreError.closed) {
            try await store.make(OrderDraft(price: 10, goods: "apple"))
        }
        await #expect(throws: OrderStoreError.closed) { try await store.orders(limit: 1) }
    }
}
