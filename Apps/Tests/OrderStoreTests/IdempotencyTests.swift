import RocketBaseTestKit
import Testing

@testable import OrderStore

struct IdempotencyTests {
    private let draft = OrderDraft(price: 100, goods: "apple", idempotencyKey: "key-1")

    @Test("The same key returns the same order")
    func repeated() async throws {
        try await withStore { store in
            let first = try await store.make(draft)
            #expect(try await store.make(draft) == first)
            #expect(store.statistics.orders == 1)
            #expect(store.statistics.repeats == 1)
        }
    }

    @Test("The same key returns the same order after the store is opened again")
    func repeatedAfterReopening() async throws {
        let folder = try TemporaryFolder()
        let configuration = OrderStoreConfiguration(path: folder.path + "/orders.sqlite")
        var ids: Set<OrderID> = []
        for _ in 0..<2 {
            let store = try OrderStore(configuration)
            ids.insert(try await store.make(draft).id)
            await store.close()
        }
        #expect(ids.count == 1)
    }

    @Test("Concurrent calls with one key make one order")
    func concurrent() async throws {
        try await withStore { store in
            let ids = try await withThrowingTaskGroup(of: OrderID.self) { [draft] group in
                for _ in 0..<50 { group.addTask { try await store.make(draft).id } }
                return try await group.reduce(into: Set<OrderID>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(store.statistics.orders == 1)
        }
    }

    @Test("Drafts with different keys, or without a key, are different orders")
    func others() async throws {
        try await withStore { store in
            var other = draft
            other.idempotencyKey = "key-2"
            var none = draft
            none.idempotencyKey = nil
            var ids: Set<OrderID> = []
            for draft in [draft, other, none, none] { ids.insert(try await store.make(draft).id) }
            #expect(ids.count == 4)
        }
    }

    @Test("Refuses a key with another draft, with the id of its order")
    func reused() async throws {
        try await withStore { store in
            let first = try await store.make(draft)
            var other = draft
            other.price = 101
            await #expect(throws: OrderStoreError.keyReused(first.id)) {
                try await store.make(other)
            }
            #expect(store.statistics.orders == 1)
        }
    }

    @Test("A key that has reached its retention makes a new order")
    func retention() async throws {
        let time = ManualTimeSource()
        try await withStore(time: time, configure: { $0.keyRetention = .seconds(60) }) { store in
            let first = try await store.make(draft)
            time.advance(by: .seconds(59))
            #expect(try await store.make(draft) == first)
            time.advance(by: .seconds(1))
            let second = try await store.make(draft)
            #expect(second.id != first.id)
            #expect(try await store.order(first.id) == first)
        }
    }

    @Test("Deletes expired keys on disk and keeps their orders")
    func expiredKeys() async throws {
        let time = ManualTimeSource()
        try await withStore(time: time, configure: { $0.keyRetention = .seconds(60) }) { store in
            for number in 0..<5 {
                _ = try await store.make(
                    OrderDraft(price: 10, goods: "apple", idempotencyKey: "\(number)"))
            }
            time.advance(by: .seconds(3600))
            _ = try await store.make(OrderDraft(price: 10, goods: "pear", idempotencyKey: "new"))
            let report = try OrderStore.checkIntegrity(ofFileAt: store.configuration.path)
            #expect(report.keys == 1)
            #expect(report.orders == 6)
        }
    }
}
