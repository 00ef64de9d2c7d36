import OrderStoring
import RocketSystem
import Testing

extension OrderStoreConformance {
    static let listing = [
        OrderStoreConformance("Pages have no gaps and no repeats, and the last one has no token") {
            harness in
            try await harness.withStore { store in
                #expect(try await store.orders(limit: 5) == OrderPage(orders: [], next: nil))
                let made = try await store.make(7)
                for size in 1...8 { #expect(try await store.list(pageSize: size) == made) }
                #expect(try await store.orders(limit: 7).next == nil)
                let next = try #require(try await store.orders(limit: 6).next)
                #expect(next == OrderPageToken(after: made[5].id))
                #expect(OrderPageToken(next.description) == next)
            }
        },
        OrderStoreConformance("A page that ends with the list goes on later at the same place") {
            harness in
            try await harness.withStore { store in
                let made = try await store.make(2)
                let end = OrderPageToken(after: made[1].id)
                #expect(try await store.orders(from: end, limit: 5).orders == [])
                let later = try await store.make(2)
                #expect(try await store.orders(from: end, limit: 5).orders == later)
            }
        },
        OrderStoreConformance("A page has every order that was confirmed before it was requested") {
            harness in
            try await harness.withStore { store in
                for count in 1...20 {
                    let order = try await store.make(OrderDraft(price: 10, goods: "apple"))
                    let listed = try await store.orders(limit: 100).orders
                    #expect(listed.count == count && listed.last == order)
                }
            }
        },
        OrderStoreConformance("Whoever reads page by page misses none of the orders that are added")
        {
            harness in
            try await harness.withStore { store in
                let isOver = Locked(false)
                async let read = Self.follow(store) { isOver.withLock { $0 } }
                let made = try await withThrowingTaskGroup(of: [Order].self) { group in
                    for writer in 0..<8 {
                        group.addTask { try await store.make(50, "writer \(writer)") }
                    }
                    return try await group.reduce(into: Set<Order>()) { $0.formUnion($1) }
                }
                isOver.withLock { $0 = true }
                let orders = try await read
                #expect(orders.count == made.count)
                #expect(Set(orders) == made)
                #expect(try await store.list() == orders)
            }
        },
        OrderStoreConformance("No page is read for a connection while its last one is on its way") {
            harness in
            try await harness.withStore { store in
                _ = try await store.make(OrderDraft(price: 10, goods: "apple"))
                let (slow, other) = (PageCall(), PageCall())
                _ = try await store.orders(from: .start, limit: 10, for: slow)
                let second = Task { try await store.orders(from: .start, limit: 10, for: slow) }
                // Whoever reads has had the chance to take it.
                for _ in 0..<4 {
                    _ = try await store.orders(from: .start, limit: 10, for: other)
                    other.end()
                }
                #expect(slow.pagesRead == 1)
                slow.end()
                #expect(try await second.value.orders.count == 1)
                #expect(slow.pagesRead == 2)
            }
        },
        OrderStoreConformance("The bytes of a page are recorded until its call has ended") {
            harness in
            let bytes = Locked(0)
            var settings = ConformanceSettings()
            settings.recordBytes = { delta in
                bytes.withLock { $0 += delta }
                return true
            }
            try await harness.withStore(settings) { store in
                _ = try await store.make(3, String(repeating: "x", count: 1000))
                let call = PageCall()
                _ = try await store.orders(from: .start, limit: 10, for: call)
                #expect((3000..<4000).contains(bytes.withLock { $0 }))
                call.end()
                #expect(bytes.withLock { $0 } == 0)
                _ = try await store.orders(limit: 10)
                #expect(bytes.withLock { $0 } == 0)
            }
        },
        OrderStoreConformance(
            "A page without memory is dropped, and its connection can have others"
        ) {
            harness in
            let hasMemory = Locked(false)
            var settings = ConformanceSettings()
            settings.recordBytes = { $0 < 0 || hasMemory.withLock { $0 } }
            try await harness.withStore(settings) { store in
                _ = try await store.make(OrderDraft(price: 10, goods: "apple"))
                let call = PageCall()
                for _ in 0..<2 {
                    await #expect(throws: OrderStoreError.memoryFull) {
                        try await store.orders(from: .start, limit: 10, for: call)
                    }
                }
                hasMemory.withLock { $0 = true }
                let page = try await store.orders(from: .start, limit: 10, for: call)
                #expect(page.orders.count == 1)
                call.end()
            }
        },
        OrderStoreConformance("A page whose call has ended is not read, and occupies nothing") {
            harness in
            try await harness.withStore { store in
                let call = PageCall()
                call.cancel()
                for _ in 0..<2 {
                    await #expect(throws: OrderStoreError.cancelled) {
                        try await store.orders(from: .start, limit: 10, for: call)
                    }
                }
            }
        },
    ]

    /// Reads from the beginning to the end, and goes on there, until it finds the end of the list
    /// after `isOver`.
    private static func follow(
        _ store: any OrderStoring, until isOver: @Sendable () -> Bool
    ) async throws -> [Order] {
        var read: [Order] = []
        var position = OrderPageToken.start
        while true {
            let ends = isOver()
            let page = try await store.orders(from: position, limit: 7)
            read += page.orders
            if let last = page.orders.last { position = OrderPageToken(after: last.id) }
            if ends, page.next == nil { return read }
        }
    }
}
