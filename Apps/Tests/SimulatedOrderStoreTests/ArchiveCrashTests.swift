import OrderStore
import OrderStoring
import RocketSimulation
import RocketSystem
import SQLite
import SimulatedOrderStore
import Testing

/// Orders that the retention removes are in the archive, whatever ends the process, whenever.
@Suite("Crashes of the order store's retention") struct ArchiveCrashTests {
    @Test(
        "Orders are in the archive exactly once after an end at any operation of the retention",
        arguments: [StoreHost.End.kill, .powerLoss])
    func archivedAtEachOperation(end: StoreHost.End) throws {
        for operations in 0..<200 {
            let store = try StoreHost(seed: UInt64(operations)) {
                $0.retention = .seconds(30 * 86_400)
                $0.archiveFolder = FileSystem.folder(of: $0.path) + "/archive"
            }
            try store.start()
            store.send(6, within: .milliseconds(100))
            try store.world.run(for: .milliseconds(500))
            store.host.stepCalendar(by: .seconds(40 * 86_400))
            store.endProcess(behind: operations, by: end)
            // Passes begin once an hour.
            try store.world.run(for: .seconds(2 * 3600))
            let hasEnded = !store.host.isRunning
            if !hasEnded { store.end(by: end) }
            try store.start()
            try store.world.run(for: .seconds(2 * 3600))
            store.end(by: .powerLoss)
            try store.start()
            try store.close()
            let orders = store.history.seenOrders.map { "\($0.goods) \($0.price)" }
            #expect(orders.count > 0)
            #expect(try archived(store) == orders.sorted(), "operation \(operations)")
            #expect(try OrderStore.checkIntegrity(ofFileAt: store.place.path).orders == 0)
            try store.world.close()
            if !hasEnded { return #expect(operations > 20) }
        }
        Issue.record("the process ended at each of 200 operations")
    }

    /// Goods and prices of all files of the archive, sorted.
    private func archived(_ store: StoreHost) throws -> [String] {
        let folder = FileSystem.folder(of: store.place.path) + "/archive"
        return try FileSystem.names(in: folder).filter { $0.hasSuffix(".sqlite") }.flatMap { name in
            try DatabaseQueue(path: folder + "/" + name).read { db in
                try String.fetchAll(db, sql: "SELECT goods || ' ' || price FROM orders")
            }
        }.sorted()
    }
}
