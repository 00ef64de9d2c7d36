import OrderStoreConformance
import OrderStoring
import Postgres
import PostgresOrderStore
import RocketSystem
import Testing

/// The store on PostgreSQL as a store of orders.
@Suite(.enabled(if: PostgresServer.isInstalled, "PostgreSQL is installed"))
struct PostgresOrderStoreContractTests {
    @Test("The store keeps the contract of stores", arguments: OrderStoreConformance.all)
    func contract(_ check: OrderStoreConformance) async throws {
        try await check.run(PostgresHarness())
    }
}

/// A database of its own in the server of the tests.
struct PostgresHarness: OrderStoreHarness {
    let server: PostgresServer
    let database: String

    init(_ server: PostgresServer? = nil) throws {
        self.server = try server ?? PostgresServer.shared.get()
        database = try self.server.makeDatabase()
    }

    func open(_ settings: ConformanceSettings) async throws -> any OrderStoring {
        try await open { configuration in
            configuration.maxWaiting = settings.maxWaiting
            configuration.maxBatch = settings.maxBatch
            configuration.keyRetention = settings.keyRetention
        } settings: {
            settings
        }
    }

    func open(
        host: String? = nil,
        _ configure: (inout PostgresOrderStoreConfiguration) -> Void = { _ in },
        settings: () -> ConformanceSettings = { ConformanceSettings() }
    ) async throws -> PostgresOrderStore {
        try await open(server.url(database, host: host), configure, settings: settings)
    }

    func open(
        _ url: PostgresURL, _ configure: (inout PostgresOrderStoreConfiguration) -> Void = { _ in },
        settings: () -> ConformanceSettings = { ConformanceSettings() }
    ) async throws -> PostgresOrderStore {
        let settings = settings()
        var configuration = PostgresOrderStoreConfiguration(url: url)
        // The machine of the tests may be slow.
        configuration.statementTimeout = .seconds(60)
        configuration.connectTimeout = .seconds(60)
        configuration.outageTimeout = .seconds(60)
        configuration.resolveTimeout = .seconds(120)
        configure(&configuration)
        return try await PostgresOrderStore.open(
            configuration, time: settings.time, observe: settings.observe,
            recordBytes: settings.recordBytes)
    }

    /// Returns why the store can't be opened. Tries for longer until one of the texts is in it: a slow
    /// attempt ends without a reason.
    func openFailure(_ url: PostgresURL, _ texts: [String]) async -> String {
        var text = "", limit = Duration.milliseconds(500)
        repeat {
            do {
                try await open(url) { $0.connectTimeout = limit }.close()
                Issue.record("it can be opened")
            } catch {
                text = "\(error)"
            }
            limit *= 4
        } while limit < .seconds(60) && !texts.contains(where: { text.contains($0) })
        return text
    }

    @discardableResult
    func execute(_ sql: String) throws -> String { try server.execute(sql, in: database) }

    func fail() throws {
        try execute(
            """
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'the test lets it fail'; END $$;
            CREATE TRIGGER failing BEFORE INSERT ON orders EXECUTE FUNCTION fail();
            """)
    }

    func repair() throws { try execute("DROP TRIGGER failing ON orders; DROP FUNCTION fail()") }

    func removeOrders(after sequence: Int64) throws {
        try execute("DELETE FROM orders WHERE sequence > \(sequence)")
    }
}
