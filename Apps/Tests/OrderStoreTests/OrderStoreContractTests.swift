import OrderStoreConformance
import OrderStoring
import SQLite
import Testing

@testable import OrderStore

/// The store on a disk as a store of orders.
struct OrderStoreContractTests {
    @Test("The store keeps the contract of stores", arguments: OrderStoreConformance.all)
    func contract(_ check: OrderStoreConformance) async throws {
        try await check.run(SQLiteHarness())
    }
}

/// A database in a folder of its own, with a second connection like that of another process.
private final class SQLiteHarness: OrderStoreHarness {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var path: String { folder.path + "/orders.sqlite" }

    func open(_ settings: ConformanceSettings) throws -> any OrderStoring {
        var configuration = OrderStoreConfiguration(path: path)
        configuration.maxWaiting = settings.maxWaiting
        configuration.maxBatch = settings.maxBatch
        configuration.keyRetention = settings.keyRetention
        return try OrderStore(
            configuration, time: settings.time, observe: settings.observe,
            recordBytes: settings.recordBytes)
    }

    func fail() throws {
        try execute(
            """
            CREATE TRIGGER failing BEFORE INSERT ON orders
            BEGIN SELECT RAISE(ABORT, 'the test lets it fail'); END
            """)
    }

    func repair() throws { try execute("DROP TRIGGER failing") }

    func removeOrders(after sequence: Int64) throws {
        try execute("DELETE FROM orders WHERE sequence > \(sequence)")
    }

    private func execute(_ sql: String) throws {
        var settings = Configuration()
        settings.busyMode = .timeout(5)
        let queue = try DatabaseQueue(path: path, configuration: settings)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }
}
