import RocketBaseTestKit
import RocketSystem
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

    @Test("Refuses a key with other goods at the same price")
    func reusedForOtherGoods() async throws {
        try await withStore { store in
            let first = try await store.make(draft)
            var other = draft
            other.goods = "pear"
            await #expect(throws: OrderStoreError.keyReused(first.id)) {
                try await store.make(other)
            }
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

    @Test("Deletes more expired keys than one transaction does without waiting for a minute")
    func manyExpiredKeys() async throws {
        let time = ManualTimeSource()
        try await withStore(time: time, configure: { $0.keyRetention = .seconds(60) }) { store in
            let count = OrderWriter.keysPerSweep * 2 + 100
            try await make(count, "old", in: store)
            time.advance(by: .seconds(60))
            for _ in 0..<3 { _ = try await store.make(OrderDraft(price: 10, goods: "apple")) }
            #expect(try keys(in: store) == 0)
        }
    }

    @Test("Keys of a clock that was ahead expire behind younger ones, and do not stop the sweep")
    func clockAhead() async throws {
        let time = ManualTimeSource()
        let start = time.wall()
        try await withStore(time: time, configure: { $0.keyRetention = .seconds(60) }) { store in
            let year: Int64 = 365 * 86_400 * 1_000_000_000
            time.setWall(WallTime(nanoseconds: start.nanoseconds + 10 * year))
            try await make(OrderWriter.keysPerSweep + 50, "future", in: store)
            time.setWall(start)
            time.advance(by: .seconds(3600))
            try await make(3, "right", in: store)
            // Not expired: nobody knows how old they are.
            #expect(try keys(in: store) == OrderWriter.keysPerSweep + 53)

            time.advance(by: .seconds(61))
            for _ in 0..<3 { _ = try await store.make(OrderDraft(price: 10, goods: "apple")) }
            #expect(try keys(in: store) == 0)
        }
    }

    @Test("A clock that was set back and corrected stops no sweep and keeps younger keys")
    func clockBack() async throws {
        let time = ManualTimeSource()
        let start = time.wall()
        try await withStore(time: time, configure: { $0.keyRetention = .seconds(3600) }) { store in
            try await make(1, "first", in: store)
            time.setWall(WallTime(nanoseconds: start.nanoseconds - 86_400_000_000_000))
            time.advance(by: .seconds(61))
            try await make(1, "past", in: store)
            #expect(try keys(in: store) == 2)
            // Corrected: the key of the wrong time looks old, but proves nothing of earlier ones.
            time.setWall(start)
            time.advance(by: .seconds(122))
            _ = try await store.make(OrderDraft(price: 10, goods: "apple"))
            #expect(try keys(in: store) == 1)
            #expect(try await store.make(named("first 0")).id.sequence == 1)
        }
    }

    private func named(_ key: String) -> OrderDraft {
        OrderDraft(price: 10, goods: "apple", idempotencyKey: key)
    }

    private func make(_ count: Int, _ name: String, in store: OrderStore) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                let draft = named("\(name) \(number)")
                group.addTask { _ = try await store.make(draft) }
            }
            try await group.waitForAll()
        }
    }

    private func keys(in store: OrderStore) throws -> Int64 {
        try OrderStore.checkIntegrity(ofFileAt: store.configuration.path).keys
    }
}
