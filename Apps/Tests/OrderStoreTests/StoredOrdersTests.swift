import RocketSystem
import SQLite
import Testing

@testable import OrderStore

/// Orders that are told when they are stored, and positions in the list.
struct StoredOrdersTests {
    private func heard(_ store: OrderStore) -> @Sendable () -> [Order] {
        let heard = Locked<[Order]>([])
        _ = store.onStored { order in heard.withLock { $0.append(order) } }
        return { heard.withLock { $0 } }
    }

    @Test("Each new order is told once, in the order of the ids, before its caller has it")
    func told() async throws {
        try await withStore { store in
            let heard = heard(store)
            try await withThrowingTaskGroup { group in
                for number in 0..<200 {
                    group.addTask {
                        let key = number % 3 == 0 ? "\(number % 60)" : nil
                        let price = Int32(number % 3 == 0 ? 10 : number + 10)
                        let order = try await store.make(
                            OrderDraft(price: price, goods: "a", idempotencyKey: key))
                        #expect(heard().contains(order))
                    }
                }
                try await group.waitForAll()
            }
            #expect(heard() == (try await store.orders(limit: 1000).orders))
        }
    }

    @Test("A listener learns what was stored before it, also after a restart")
    func beginning() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        var store = try OrderStore(configuration)
        #expect(store.onStored { _ in } == (.start, nil))
        let order = try await store.make(OrderDraft(price: 10, goods: "a"))
        #expect(store.onStored { _ in } == (OrderPageToken(after: order.id), order.id))
        await store.close()
        store = try OrderStore(configuration)
        #expect(store.onStored { _ in } == (OrderPageToken(after: order.id), order.id))
        await store.close()
    }

    @Test("Orders of a transaction whose outcome was unknown are told before the next one")
    func missing() {
        let stored = StoredOrders()
        let orders = (1...4).map { number in
            Order(
                id: OrderID(sequence: Int64(number), createdMilliseconds: 0), price: 10,
                goods: "a", createdMilliseconds: 0)
        }
        let heard = Locked<[Order]>([])
        _ = stored.listen { order in heard.withLock { $0.append(order) } }
        stored.publish([.success(orders[0]), .failure(.diskFull)]) { _, _ in
            Issue.record("nothing is missing")
            return []
        }
        stored.publish([.success(orders[0]), .success(orders[3])]) { position, order in
            #expect(position == OrderPageToken(after: orders[0].id) && order == orders[3])
            return Array(orders[1...2])
        }
        #expect(heard.withLock { $0 } == orders)
    }

    @Test("The position behind an order is known as long as its store, and no other id is")
    func positions() async throws {
        try await withStore { store in
            var made: [Order] = []
            for _ in 0..<3 { made.append(try await store.make(OrderDraft(price: 10, goods: "a"))) }
            func position(_ id: OrderID) async throws -> OrderPageToken? {
                try await store.position(after: id, for: LocalPageCaller())
            }
            for order in made {
                #expect(try await position(order.id) == OrderPageToken(after: order.id))
            }
            #expect(try await position(OrderID(sequence: 2, createdMilliseconds: 0)) == nil)
            let created = made[0].createdMilliseconds
            let next = OrderID(sequence: 4, createdMilliseconds: created)
            #expect(try await position(next) == nil)
            try otherConnection(to: store).writeWithoutTransaction {
                try $0.execute(sql: "DELETE FROM orders WHERE sequence > 1")
            }
            #expect(try await position(made[2].id) == OrderPageToken(after: made[2].id))
        }
    }
}
