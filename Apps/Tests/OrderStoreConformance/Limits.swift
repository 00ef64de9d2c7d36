import OrderStoring
import RocketSystem
import Testing

extension OrderStoreConformance {
    static let limits = [
        OrderStoreConformance(
            "A connection beyond its share is refused at once, and others are not"
        ) {
            harness in
            var settings = ConformanceSettings()
            (settings.maxWaiting, settings.maxBatch) = (8, 1)
            try await harness.withStore(settings) { store in
                let hold = await WriteHold(store)
                let (greedy, modest) = (Connection(), Connection())
                let refused = Recorder<OrderStoreError>()
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<40 {
                        group.addTask {
                            await Self.make(number, greedy, in: store, refused) ? 1 : 0
                        }
                    }
                    // It has as many places as are free: four of eight.
                    await refused.wait(forCount: 36)
                    group.addTask { await Self.make(100, modest, in: store, refused) ? 1000 : 0 }
                    while store.statistics.waiting < 5 { await Task.yield() }
                    hold.release()
                    let stored = try await group.reduce(0, +)
                    #expect(stored == 1004, "\(stored)")
                }
                #expect(store.statistics.refusals == UInt64(refused.all.count))
                #expect(
                    refused.all.allSatisfy { if case .tooManyWaiting = $0 { true } else { false } })
                // The places are free again.
                #expect(await Self.make(200, greedy, in: store, refused))
                withExtendedLifetime((greedy, modest)) {}
            }
        },
        OrderStoreConformance("A connection with few orders does not wait for one with many") {
            harness in
            var settings = ConformanceSettings()
            settings.maxBatch = 1
            try await harness.withStore(settings) { store in
                let hold = await WriteHold(store)
                let (greedy, modest) = (Connection(), Connection())
                let many = (0..<20).map { _ in
                    Task {
                        try await store.make(OrderDraft(price: 10, goods: "a"), from: greedy.id)
                    }
                }
                while store.statistics.waiting < 20 { await Task.yield() }
                let one = Task {
                    try await store.make(OrderDraft(price: 10, goods: "b"), from: modest.id)
                }
                while store.statistics.waiting < 21 { await Task.yield() }
                hold.release()
                let order = try await one.value
                var earlier = 0
                for task in many where try await task.value.id.sequence < order.id.sequence {
                    earlier += 1
                }
                #expect(earlier == 1, "\(earlier)")
                withExtendedLifetime((greedy, modest)) {}
            }
        },
        OrderStoreConformance("A store that is closed stores what waits") { harness in
            let store = try await harness.open(ConformanceSettings())
            let hold = await WriteHold(store)
            let waiting = (0..<10).map { number in
                Task { try await store.make(OrderDraft(price: Int32(number), goods: "a")) }
            }
            while store.statistics.waiting < 10 { await Task.yield() }
            async let closed: Void = store.close()
            hold.release()
            await closed
            var made: Set<Order> = []
            for task in waiting { made.insert(try await task.value) }
            #expect(made.count == 10)
            try await harness.withStore { [made] store in
                let listed = try await store.list()
                #expect(Set(listed) == made)
            }
        },
    ]

    /// - Returns: whether it was stored.
    private static func make(
        _ number: Int, _ connection: Connection, in store: any OrderStoring,
        _ refused: Recorder<OrderStoreError>
    ) async -> Bool {
        do {
            _ = try await store.make(
                OrderDraft(price: Int32(number), goods: "apple"), from: connection.id)
            return true
        } catch {
            refused.append(error)
            return false
        }
    }
}
