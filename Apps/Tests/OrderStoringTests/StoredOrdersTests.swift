import OrderStoring
import RocketSystem
import Testing

/// Orders that are told when they are stored.
struct StoredOrdersTests {
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
}
