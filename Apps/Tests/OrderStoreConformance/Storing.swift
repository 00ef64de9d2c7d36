import OrderStoring
import RocketSystem
import Testing

extension OrderStoreConformance {
    static let storing = [
        OrderStoreConformance("An order is found by its id, with any text and price") { harness in
            try await harness.withStore { store in
                let goods = [
                    "苹果 'apple'; -- \\ \"{,}\" \u{7f}\n\t", "NULL", " ",
                    String(repeating: "é", count: 512),
                ]
                for goods in goods {
                    for price in [Int32.min, -1, 0, 100, .max] {
                        let order = try await store.make(OrderDraft(price: price, goods: goods))
                        #expect(order.price == price && order.goods == goods)
                        #expect(try await store.order(order.id) == order)
                    }
                }
            }
        },
        OrderStoreConformance("An unknown number, or a known one with another day, is no order") {
            harness in
            try await harness.withStore { store in
                let order = try await store.make(OrderDraft(price: 100, goods: "apple"))
                let otherDay = OrderID(sequence: order.id.sequence, createdMilliseconds: 0)
                #expect(try await store.order(otherDay) == nil)
                let later = OrderID(
                    sequence: order.id.sequence + 1,
                    createdMilliseconds: order.createdMilliseconds)
                #expect(try await store.order(later) == nil)
                let largest = OrderID(sequence: .max, createdMilliseconds: 0)
                #expect(try await store.order(largest) == nil)
            }
        },
        OrderStoreConformance("Orders stay, and ids go on, when the store is opened again") {
            harness in
            var made: [Order] = []
            for round in 1...3 {
                let store = try await harness.open(ConformanceSettings())
                made += try await store.make(round)
                await store.close()
            }
            try await harness.withStore { store in
                let listed = try await store.list()
                #expect(listed == made)
                for (a, b) in zip(made, made.dropFirst()) {
                    #expect(a.id.sequence < b.id.sequence)
                }
            }
        },
        OrderStoreConformance("Orders at the same time have different ids, and all are stored") {
            harness in
            try await harness.withStore { store in
                let made = try await withThrowingTaskGroup(of: Order.self) { group in
                    for number in 0..<500 {
                        group.addTask {
                            try await store.make(OrderDraft(price: Int32(number), goods: "apple"))
                        }
                    }
                    return try await group.reduce(into: Set<Order>()) { $0.insert($1) }
                }
                #expect(Set(made.map(\.id)).count == 500)
                #expect(Set(try await store.list()) == made)
                let statistics = store.statistics
                #expect(statistics.orders == 500 && statistics.repeats == 0)
                #expect((1...500).contains(statistics.transactions))
            }
        },
        OrderStoreConformance("A store that is closed has answered, and refuses all requests") {
            harness in
            let store = try await harness.open(ConformanceSettings())
            let order = try await store.make(OrderDraft(price: 10, goods: "apple"))
            let probed = Recorder<Bool>()
            store.probe { probed.append(true) }
            await probed.wait(forCount: 1)
            await store.close()
            await #expect(throws: OrderStoreError.closed) {
                try await store.make(OrderDraft(price: 10, goods: "apple"))
            }
            await #expect(throws: OrderStoreError.closed) { try await store.order(order.id) }
            await #expect(throws: OrderStoreError.closed) { try await store.orders(limit: 1) }
            // At once: a watchdog does not take it for one that hangs.
            store.probe { probed.append(true) }
            #expect(probed.all.count == 2)
        },
    ]
}
