import OrderStoring
import RocketBaseTestKit
import RocketSystem
import Testing

extension OrderStoreConformance {
    static let failing = [
        OrderStoreConformance("An outage is told once, stores nothing, and its end is told") {
            harness in
            let time = ManualTimeSource()
            let events = Recorder<OrderStoreEvent>()
            var settings = ConformanceSettings()
            settings.time = time
            settings.observe = { events.append($0) }
            try await harness.withStore(settings) { store in
                let before = try await store.make(3)
                let opening = events.all.count
                try await harness.fail()
                for _ in 0..<3 {
                    let error = await #expect(throws: OrderStoreError.self) {
                        try await store.make(OrderDraft(price: 10, goods: "lost"))
                    }
                    // Says whether the order may be stored.
                    let text = error?.description ?? ""
                    #expect(text.contains("nothing was stored"), "\(text)")
                    #expect(!text.contains("INSERT") && !text.contains("lost"), "\(text)")
                }
                #expect(events.all.count == opening + 1)
                guard case .writesFail? = events.all.last else {
                    Issue.record("\(events.all)")
                    return
                }
                #expect(store.statistics.failures > 0)
                try await harness.repair()
                let after = try await store.make(OrderDraft(price: 10, goods: "apple"))
                // The outage ends when nothing has failed for a while.
                time.advance(by: .seconds(10))
                await events.wait(forCount: opening + 2)
                guard case .writesRecovered(_, let orders)? = events.all.last, orders >= 3 else {
                    Issue.record("\(events.all)")
                    return
                }
                #expect(try await store.list() == before + [after])
            }
        }
    ]
}
