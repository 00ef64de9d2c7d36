import OrderStore
import OrderStoring
import Postgres
import PostgresOrderStore
import RocketBase
import RocketProgram
import RocketTCP
import Testing

@testable import OrderServerKit

struct OrderStoreConfigTests {
    @Test("Without the element the store is in the folder var beside the configuration")
    func defaults() throws {
        let config = try RocketConfig(
            xml: Array("<root></root>".utf8), file: "/etc/rocket/rocket.xml",
            sections: [OrderStoreConfig.self])
        var expected = OrderStoreConfiguration(path: "/etc/rocket/var/orders.sqlite")
        expected.keyRetention = .seconds(86_400)
        #expect(config[OrderStoreConfig.self].store == expected)
    }

    @Test("Pages take no more memory than the server's budget leaves for them")
    func limitedByTheBudget() {
        var configuration = OrderStoreConfiguration(path: "orders.sqlite")
        configuration.maxPageBytes = 32 << 20
        let budget = ByteBudget(limitBytes: 16 << 20)
        #expect(configuration.limited(by: budget).maxPageBytes == 8 << 20)
        configuration.maxPageBytes = 1 << 20
        #expect(configuration.limited(by: budget) == configuration)
    }

    @Test("Every element is passed to the store")
    func everything() throws {
        let xml = """
            <root><order_store>
              <path>/srv/orders.db</path>
              <max_waiting>7</max_waiting>
              <max_batch>8</max_batch>
              <reader_threads>3</reader_threads>
              <max_page_bytes>4096</max_page_bytes>
              <key_retention_ms>1000</key_retention_ms>
              <retention_days>2</retention_days>
              <archive_folder>archive</archive_folder>
            </order_store></root>
            """
        let config = try RocketConfig(
            xml: Array(xml.utf8), file: "/etc/rocket.xml", sections: [OrderStoreConfig.self])
        #expect(config.warnings.isEmpty)
        var expected = OrderStoreConfiguration(path: "/srv/orders.db")
        expected.maxWaiting = 7
        expected.maxBatch = 8
        expected.readerThreads = 3
        expected.maxPageBytes = 4096
        expected.keyRetention = .seconds(1)
        expected.retention = .seconds(2 * 86_400)
        expected.archiveFolder = "/etc/archive"
        #expect(config[OrderStoreConfig.self].store == expected)
    }

    @Test("With a URL the store is the database, and the other elements are passed to it")
    func database() throws {
        var config = OrderStoreConfig()
        #expect(try OrderStoreChoice(config) == .file(config.store))
        config.url = "postgresql://orders@db1,db2/shop"
        config.maxWaiting = 7
        config.maxBatch = 8
        config.maxPageBytes = 4096
        config.keyRetention = .seconds(1)
        config.outageTimeout = .seconds(2)
        config.statementTimeout = .seconds(3)
        var expected = PostgresOrderStoreConfiguration(
            url: try PostgresURL("postgresql://orders@db1,db2/shop"))
        expected.maxWaiting = 7
        expected.maxBatch = 8
        expected.maxPageBytes = 4096
        expected.keyRetention = .seconds(1)
        expected.outageTimeout = .seconds(2)
        expected.statementTimeout = .seconds(3)
        #expect(try OrderStoreChoice(config) == .postgres(expected))
    }

    @Test(
        "A URL that is none, or has a password, is refused with the status 78 and without it",
        arguments: [
            "orders.sqlite", "postgresql://orders:secret@db/shop",
            "postgresql://db/shop?sslmode=yes",
            "postgresql://db/shop?target_session_attrs=standby",
        ])
    func wrongURL(url: String) {
        var config = OrderStoreConfig()
        config.url = url
        let failure = #expect(throws: ProgramFailure.self) { try OrderStoreChoice(config) }
        #expect(failure?.status == .configuration)
        #expect(failure?.description.hasPrefix("order_store/url: ") == true)
        #expect(failure?.description.contains("secret") == false)
    }

    @Test("Settings of a file don't go with a URL")
    func settingsOfFile() {
        var config = OrderStoreConfig()
        config.url = "postgresql://db/shop"
        config.retentionDays = 1
        #expect(throws: ProgramFailure.self) { try OrderStoreChoice(config) }
        config.retentionDays = 0
        config.archiveFolder = "archive"
        #expect(throws: ProgramFailure.self) { try OrderStoreChoice(config) }
    }
}
