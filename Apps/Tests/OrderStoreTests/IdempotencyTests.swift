import OrderStoring
import RocketBaseTestKit
import RocketSystem
import Testing

@testable import OrderStore

struct IdempotencyTests {
    private let draft = OrderDraft(price: 100, goods: "apple", idempotencyKey: "key-1")

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
