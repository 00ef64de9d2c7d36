import OrderStore
import OrderStoring
public import RocketBase

/// The store of the orders: the `order_store` element of the configuration.
public struct OrderStoreConfig: ConfigSection, Hashable {
    /// The SQLite file; it and its folder are created if they are missing.
    ///
    /// `order_store/path`: A path, absolute or relative to this file's folder. Default
    /// var/orders.sqlite. Needs a restart.
    public var path = "var/orders.sqlite"
    /// A PostgreSQL database in place of the file, which several servers may share:
    /// postgresql://USER@HOST:PORT/DATABASE, with libpq's parameters. It may not have a
    /// password: use ?passfile=/PATH. Empty: the file of path.
    ///
    /// `order_store/url`: A text of 1 to 2000 characters; or empty. Default none. Needs a
    /// restart.
    public var url: String?
    /// How long requests wait while the database of url can't be reached; then they fail with
    /// UNAVAILABLE until it can.
    ///
    /// `order_store/outage_timeout_ms`: A whole number of ms, 1 to 600000. Default 5000 ms.
    /// Needs a restart.
    public var outageTimeout = Duration.seconds(5)
    /// The time for a statement at the database of url, and for waiting for other servers; then
    /// it is undone, and its calls fail with UNAVAILABLE.
    ///
    /// `order_store/statement_timeout_ms`: A whole number of ms, 100 to 600000. Default 5000
    /// ms. Needs a restart.
    public var statementTimeout = Duration.seconds(5)
    /// Writes that may wait for the writer, and reads that may wait for a reader. A connection
    /// may have as many waiting as places are free, so a single one half of them, and always
    /// one; with a page of the list waiting or on its way 64, which take no places while it is
    /// on its way. A call beyond fails with RESOURCE_EXHAUSTED.
    ///
    /// `order_store/max_waiting`: A whole number, 1 to 1000000. Default 4096. Needs a restart.
    public var maxWaiting = 4096
    /// Orders in one transaction, and so in one sync of the disk, at most.
    ///
    /// `order_store/max_batch`: A whole number, 1 to 100000. Default 512. Needs a restart.
    public var maxBatch = 512
    /// Threads that read orders.
    ///
    /// `order_store/reader_threads`: A whole number, 1 to 64. Default 2. Needs a restart.
    public var readerThreads = 2
    /// Pages of the list that were read from the store and are on their way to their calls;
    /// above, nothing is read. A connection has one page on its way until that is in its
    /// output.
    ///
    /// `order_store/max_page_bytes`: A whole number of bytes, 1 to 1099511627776. Default
    /// 33554432 bytes. Needs a restart.
    public var maxPageBytes = 32 << 20
    /// How long an idempotency key returns the same order; 0 disables keys.
    ///
    /// `order_store/key_retention_ms`: A whole number of ms, 0 to 31536000000. Default 86400000
    /// ms. Needs a restart.
    public var keyRetention = Duration.seconds(24 * 60 * 60)
    /// Orders older than this are removed, once an hour in small steps; 0 keeps them for ever.
    /// An order is kept at least as long as its idempotency key.
    ///
    /// `order_store/retention_days`: A whole number, 0 to 36500. Default 0. Needs a restart.
    public var retentionDays = 0
    /// The folder to which orders are moved that retention_days removes: a SQLite file for each
    /// month, orders-YYYYMM.sqlite. Empty: they are deleted. Not with url.
    ///
    /// `order_store/archive_folder`: A path, absolute or relative to this file's folder; or
    /// empty. Default none. Needs a restart.
    public var archiveFolder: String?

    /// Every field at its default.
    public init() {}

    /// The `order_store` element.
    public static let schema = ConfigSchema<Self>(
        "order_store", "The store of order_server's orders.",
        [
            .init(
                "path", \.path, .path, .restart,
                "The SQLite file; it and its folder are created if they are missing."),
            .init(
                "url", \.url, .optional(.text(maximum: 2000)), .restart,
                "A PostgreSQL database in place of the file, which several servers may share: "
                    + "postgresql://USER@HOST:PORT/DATABASE, with libpq's parameters. It may not "
                    + "have a password: use ?passfile=/PATH. Empty: the file of path."),
            .init(
                "outage_timeout_ms", \.outageTimeout, .milliseconds(1...600_000), .restart,
                "How long requests wait while the database of url can't be reached; then they "
                    + "fail with UNAVAILABLE until it can."),
            .init(
                "statement_timeout_ms", \.statementTimeout, .milliseconds(100...600_000), .restart,
                "The time for a statement at the database of url, and for waiting for other "
                    + "servers; then it is undone, and its calls fail with UNAVAILABLE."),
            .init(
                "max_waiting", \.maxWaiting, .integer(1...1_000_000), .restart,
                "Writes that may wait for the writer, and reads that may wait for a reader. A "
                    + "connection may have as many waiting as places are free, so a single one "
                    + "half of them, and always one; with a page of the list waiting or on its "
                    + "way 64, which take no places while it is on its way. A call beyond fails "
                    + "with RESOURCE_EXHAUSTED."),
            .init(
                "max_batch", \.maxBatch, .integer(1...100_000), .restart,
                "Orders in one transaction, and so in one sync of the disk, at most."),
            .init(
                "reader_threads", \.readerThreads, .integer(1...64), .restart,
                "Threads that read orders."),
            .init(
                "max_page_bytes", \.maxPageBytes, .bytes(1...1 << 40), .restart,
                "Pages of the list that were read from the store and are on their way to their "
                    + "calls; above, nothing is read. A connection has one page on its way until "
                    + "that is in its output."),
            .init(
                "key_retention_ms", \.keyRetention, .milliseconds(0...31_536_000_000), .restart,
                "How long an idempotency key returns the same order; 0 disables keys."),
            .init(
                "retention_days", \.retentionDays, .integer(0...36_500), .restart,
                "Orders older than this are removed, once an hour in small steps; 0 keeps them "
                    + "for ever. An order is kept at least as long as its idempotency key."),
            .init(
                "archive_folder", \.archiveFolder, .optional(.path), .restart,
                "The folder to which orders are moved that retention_days removes: a SQLite file "
                    + "for each month, orders-YYYYMM.sqlite. Empty: they are deleted. Not with "
                    + "url."),
        ])

    /// The same for the store.
    var store: OrderStoreConfiguration {
        var configuration = OrderStoreConfiguration(path: path)
        configuration.maxWaiting = maxWaiting
        configuration.maxBatch = maxBatch
        configuration.readerThreads = readerThreads
        configuration.maxPageBytes = maxPageBytes
        configuration.keyRetention = keyRetention
        configuration.retention = .seconds(retentionDays * 86_400)
        configuration.archiveFolder = archiveFolder
        return configuration
    }
}
