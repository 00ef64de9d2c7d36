import OrderStore
public import RocketBase

/// Where orders are kept: the `order_store` element of the configuration.
public struct OrderStoreConfig: ConfigSection, Hashable {
    /// The database file.
    public var path = "var/orders.sqlite"
    /// Orders, and reads, that may wait.
    public var maxWaiting = 4096
    /// Orders in one transaction.
    public var maxBatch = 512
    /// Threads that read.
    public var readerThreads = 2
    /// How long idempotency keys are kept.
    public var keyRetention = Duration.seconds(24 * 60 * 60)

    /// Every field at its default.
    public init() {}

    /// The `order_store` element.
    public static let schema = ConfigSchema<Self>(
        "order_store", "Where orders are kept, and how.",
        [
            .init(
                "path", \.path, .path, .restart,
                "The SQLite file; it and its folder are created when missing."),
            .init(
                "max_waiting", \.maxWaiting, .integer(1...1_000_000), .restart,
                "Orders that may wait to be stored, and questions that may wait for an answer; "
                    + "beyond it a call is answered with RESOURCE_EXHAUSTED."),
            .init(
                "max_batch", \.maxBatch, .integer(1...100_000), .restart,
                "Orders that share one transaction, and so one sync of the disk, at most."),
            .init(
                "reader_threads", \.readerThreads, .integer(1...64), .restart,
                "Threads that look orders up."),
            .init(
                "key_retention_ms", \.keyRetention, .milliseconds(0...31_536_000_000), .restart,
                "How long the same idempotency key returns the same order; 0 turns keys off."),
        ])

    /// The same for the store itself.
    var store: OrderStoreConfiguration {
        var configuration = OrderStoreConfiguration(path: path)
        configuration.maxWaiting = maxWaiting
        configuration.maxBatch = maxBatch
        configuration.readerThreads = readerThreads
        configuration.keyRetention = keyRetention
        return configuration
    }
}
