import OrderStoring
import RocketSystem
import Testing

extension OrderStoreConformance {
    static let watching = [
        OrderStoreConformance("Each new order is told once, in order, before its caller has it") {
            harness in
            try await harness.withStore { store in
                let told = Recorder<Order>()
                _ = store.onStored { told.append($0) }
                try await withThrowingTaskGroup { group in
                    for number in 0..<200 {
                        group.addTask {
                            let key = number % 3 == 0 ? "\(number % 60)" : nil
                            let price = Int32(number % 3 == 0 ? 10 : number + 10)
                            let order = try await store.make(
                                OrderDraft(price: price, goods: "a", idempotencyKey: key))
                            #expect(told.all.contains(order))
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(told.all == (try await store.list()))
            }
        },
        OrderStoreConformance("A listener learns what was stored before it, also after a restart") {
            harness in
            var last: Order?
            try await harness.withStore { store in
                #expect(store.onStored { _ in } == (.start, nil))
                let order = try await store.make(OrderDraft(price: 10, goods: "a"))
                #expect(store.onStored { _ in } == (OrderPageToken(after: order.id), order.id))
                last = order
            }
            let order = try #require(last)
            try await harness.withStore { store in
                #expect(store.onStored { _ in } == (OrderPageToken(after: order.id), order.id))
            }
        },
        OrderStoreConformance("The position behind an order is known as long as its store") {
            harness in
            try await harness.withStore { store in
                let made = try await store.make(3)
                func position(_ id: OrderID) async throws -> OrderPageToken? {
                    try await store.position(after: id, for: LocalPageCaller())
                }
                for order in made {
                    #expect(try await position(order.id) == OrderPageToken(after: order.id))
                }
                let second = made[1].id.sequence
                #expect(
                    try await position(OrderID(sequence: second, createdMilliseconds: 0)) == nil)
                let next = OrderID(
                    sequence: made[2].id.sequence + 1,
                    createdMilliseconds: made[0].createdMilliseconds)
                #expect(try await position(next) == nil)
                try await harness.removeOrders(after: made[0].id.sequence)
                #expect(try await position(made[2].id) == OrderPageToken(after: made[2].id))
                #expect(try await store.list() == [made[0]])
            }
        },
    ]
}
