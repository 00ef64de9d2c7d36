import Foundation
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

struct OrderStoreTests {
    @Test("Finds an order by its id")
    func makeAndFind() async throws {
        try await withStore { store in
            let order = try await store.make(OrderDraft(price: 100, goods: "苹果 'apple'; --"))
            #expect(try await store.order(order.id) == order)
            #expect(order.price == 100)
            #expect(order.goods == "苹果 'apple'; --")
        }
    }

    @Test("Finds nothing for an unknown sequence number, or a known one with another day")
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

    @Test("Orders are stored and ids continue after the store is opened again")
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

    @Test("Concurrent orders all get different ids and are all stored")
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

    @Test("Pages have no gaps and no repeats, and the last one has no token")
    func paging() async throws {
        try await withStore { store in
            var made: [Order] = []
            for number in 0..<7 {
                made.append(
                    try await store.make(OrderDraft(price: Int32(number), goods: "apple")))
            }
            var listed: [Order] = []
            var next: OrderPageToken? = .start
            while let token = next {
                let page = try await store.orders(from: token, limit: 3)
                #expect(page.orders.count <= 3)
                listed += page.orders
                next = page.next
            }
            #expect(listed == made)
        }
    }

    @Test("A page that ends exactly with the list has no next page")
    func lastPage() async throws {
        try await withStore { store in
            #expect(try await store.orders(limit: 5) == OrderPage(orders: [], next: nil))
            for _ in 0..<2 { _ = try await store.make(OrderDraft(price: 10, goods: "apple")) }
            #expect(try await store.orders(limit: 2).next == nil)
            #expect(try await store.orders(limit: 1).next == OrderPageToken(after: 1))
        }
    }

    @Test("A closed store refuses further requests")
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

    @Test("No page is read for a connection while its last one is on its way")
    func onePagePerConnection() async throws {
        try await withStore { store in
            _ = try await store.make(OrderDraft(price: 10, goods: "apple"))
            let (slow, other) = (PageCall(), PageCall())
            _ = try await store.orders(limit: 10, for: slow)
            let second = Task { try await store.orders(limit: 10, for: slow) }
            // Both readers have had the chance to take it.
            for _ in 0..<4 {
                _ = try await store.orders(limit: 10, for: other)
                other.end()
            }
            #expect(slow.pagesRead == 1)
            slow.end()
            #expect(try await second.value.orders.count == 1)
            #expect(slow.pagesRead == 2)
        }
    }

    @Test("The bytes of a page are recorded until its call has ended")
    func recordedBytes() async throws {
        let folder = try TemporaryFolder()
        let bytes = Locked(0)
        let store = try OrderStore(
            OrderStoreConfiguration(path: folder.path + "/orders.sqlite"),
            recordBytes: { delta in
                bytes.withLock { $0 += delta }
                return true
            })
        let goods = String(repeating: "x", count: 1000)
        for _ in 0..<3 { _ = try await store.make(OrderDraft(price: 10, goods: goods)) }
        let call = PageCall()
        _ = try await store.orders(limit: 10, for: call)
        #expect((3000..<4000).contains(bytes.withLock { $0 }))
        call.end()
        #expect(bytes.withLock { $0 } == 0)
        _ = try await store.orders(limit: 10)
        #expect(bytes.withLock { $0 } == 0)
        await store.close()
    }

    @Test("A page that is refused is dropped, and its connection can have the next one")
    func refusedPage() async throws {
        let folder = try TemporaryFolder()
        let bytes = Locked(0)
        let limit = Locked(0)
        let store = try OrderStore(
            OrderStoreConfiguration(path: folder.path + "/orders.sqlite"),
            recordBytes: { delta in
                let limit = limit.withLock { $0 }
                return bytes.withLock { bytes in
                    if delta > 0, bytes + delta > limit { return false }
                    bytes += delta
                    return true
                }
            })
        _ = try await store.make(OrderDraft(price: 10, goods: "apple"))
        let call = PageCall()
        for _ in 0..<2 {
            await #expect(throws: OrderStoreError.memoryFull) {
                try await store.orders(limit: 10, for: call)
            }
        }
        limit.withLock { $0 = 1000 }
        #expect(try await store.orders(limit: 10, for: call).orders.count == 1)
        #expect(bytes.withLock { $0 } > 0)
        call.end()
        #expect(bytes.withLock { $0 } == 0)
        await store.close()
    }

    @Test("A page whose call has ended is not read")
    func cancelledPage() async throws {
        try await withStore { store in
            let call = PageCall()
            call.cancel()
            await #expect(throws: OrderStoreError.cancelled) {
                try await store.orders(limit: 10, for: call)
            }
            // And its connection is free for the next one.
            await #expect(throws: OrderStoreError.cancelled) {
                try await store.orders(limit: 10, for: call)
            }
        }
    }
}
