import OrderStoring
import Testing

/// Counts and checksums of stores that are compared.
struct OrderTotalsTests {
    private func order(_ sequence: Int64, price: Int32 = 10, goods: String = "apple") -> Order {
        Order(
            id: OrderID(sequence: sequence, createdMilliseconds: 1000), price: price, goods: goods,
            createdMilliseconds: 1000)
    }

    private func block(_ orders: [Order], keys: [OrderKey] = []) -> OrderBlock {
        OrderBlock(after: 0, through: .max, orders: orders, idempotencyKeys: keys)
    }

    private func key(_ key: String, _ sequence: Int64 = 1, at time: Int64 = 1000) -> OrderKey {
        OrderKey(key: key, sequence: sequence, createdMilliseconds: time)
    }

    @Test("Totals do not depend on how a store is divided into blocks")
    func division() {
        let orders = (1...10).map { order($0, goods: "\($0)") }
        let keys = orders.map { key($0.goods, $0.id.sequence) }
        var parts = OrderTotals()
        for (order, key) in zip(orders, keys) { parts.add(block([order], keys: [key])) }
        let whole = OrderTotals(block(orders, keys: keys))
        #expect(parts == whole)
        #expect(whole.orders == 10 && whole.keys == 10)
        #expect(whole.ordersChecksum.count == 16 && whole.ordersChecksum == parts.ordersChecksum)
        #expect(whole.keysChecksum != whole.ordersChecksum)
    }

    @Test("Each value of an order and of a key changes the totals")
    func values() {
        let all = [
            block([order(1)]), block([order(2)]), block([order(1, price: 11)]),
            block([order(1, price: -10)]), block([order(1, goods: "pear")]),
            // Equal as texts of Swift, and other bytes.
            block([order(1, goods: "\u{e9}")]), block([order(1, goods: "e\u{301}")]),
            block([order(1, goods: "a"), order(2, goods: "b")]),
            block([order(1, goods: "b"), order(2, goods: "a")]), block([]),
            block([order(1)], keys: [key("a")]), block([order(1)], keys: [key("b")]),
            block([order(1)], keys: [key("a", 2)]), block([order(1)], keys: [key("a", at: 1001)]),
        ]
        #expect(Set(all.map { OrderTotals($0) }).count == all.count)
    }
}
