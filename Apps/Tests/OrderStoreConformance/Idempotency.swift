import OrderStoring
import RocketBaseTestKit
import RocketSystem
import Testing

private let draft = OrderDraft(price: 100, goods: "apple", idempotencyKey: "key-1")

extension OrderStoreConformance {
    static let idempotency = [
        OrderStoreConformance("The same key returns the same order, also in a store opened again") {
            harness in
            var first: Order?
            for _ in 0..<2 {
                try await harness.withStore { store in
                    let order = try await store.make(draft)
                    #expect(try await store.make(draft) == order)
                    #expect(first == nil || first == order)
                    #expect(store.statistics.orders == (first == nil ? 1 : 0))
                    #expect(store.statistics.repeats == (first == nil ? 1 : 2))
                    first = order
                }
            }
        },
        OrderStoreConformance("Calls at the same time with one key make one order") { harness in
            try await harness.withStore { store in
                let ids = try await withThrowingTaskGroup(of: OrderID.self) { group in
                    for _ in 0..<50 { group.addTask { try await store.make(draft).id } }
                    return try await group.reduce(into: Set<OrderID>()) { $0.insert($1) }
                }
                #expect(ids.count == 1)
                #expect(store.statistics.orders == 1 && store.statistics.repeats == 49)
            }
        },
        OrderStoreConformance("Of different drafts at the same time with one key one is stored") {
            harness in
            try await harness.withStore { store in
                let made = await withTaskGroup(of: Result<Order, OrderStoreError>.self) { group in
                    for number in 0..<50 {
                        var draft = draft
                        draft.price = Int32(number)
                        group.addTask { [draft] in
                            do throws(OrderStoreError) {
                                return .success(try await store.make(draft))
                            } catch { return .failure(error) }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                let stored = made.compactMap { try? $0.get() }
                #expect(stored.count == 1)
                let refused = OrderStoreError.keyReused(try #require(stored.first).id)
                #expect(made.filter { $0 == .failure(refused) }.count == 49)
            }
        },
        OrderStoreConformance("Keys and goods are compared by their bytes, not as equal texts") {
            harness in
            try await harness.withStore { store in
                let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
                var orders: [Order] = []
                for key in [composed, decomposed] {
                    orders.append(
                        try await store.make(
                            OrderDraft(price: 1, goods: composed, idempotencyKey: key)))
                }
                #expect(orders[0].id != orders[1].id)
                await #expect(throws: OrderStoreError.keyReused(orders[0].id)) {
                    try await store.make(
                        OrderDraft(price: 1, goods: decomposed, idempotencyKey: composed))
                }
            }
        },
        OrderStoreConformance("Other keys, keys with other letters, and no key are other orders") {
            harness in
            try await harness.withStore { store in
                var ids: Set<OrderID> = []
                for key in ["key-1", "key-2", "KEY-1", "key-1 ", "", "ключ", nil, nil] {
                    var draft = draft
                    draft.idempotencyKey = key
                    ids.insert(try await store.make(draft).id)
                }
                #expect(ids.count == 8)
            }
        },
        OrderStoreConformance("A key with another price or other goods is refused, with its order")
        {
            harness in
            try await harness.withStore { store in
                let first = try await store.make(draft)
                var (price, goods) = (draft, draft)
                price.price = 101
                goods.goods = "pear"
                for other in [price, goods] {
                    await #expect(throws: OrderStoreError.keyReused(first.id)) {
                        try await store.make(other)
                    }
                }
                #expect(store.statistics.orders == 1)
            }
        },
        OrderStoreConformance("A key that has reached its retention makes a new order") { harness in
            let time = ManualTimeSource()
            var settings = ConformanceSettings()
            settings.time = time
            settings.keyRetention = .seconds(60)
            try await harness.withStore(settings) { store in
                let first = try await store.make(draft)
                time.advance(by: .seconds(59))
                #expect(try await store.make(draft) == first)
                time.advance(by: .seconds(1))
                let second = try await store.make(draft)
                #expect(second.id != first.id)
                #expect(try await store.make(draft) == second)
                #expect(try await store.order(first.id) == first)
            }
        },
        OrderStoreConformance("Without a retention keys are not kept") { harness in
            var settings = ConformanceSettings()
            settings.keyRetention = .zero
            try await harness.withStore(settings) { store in
                let first = try await store.make(draft)
                #expect(try await store.make(draft) != first)
            }
        },
    ]
}
