import OrderStore
public import RocketBase

/// Where orders are kept: the `order_store` element of the configuration.
public struct OrderStoreConfig: ConfigSection, Hashable {
    /// The SQLite file; it and its folder are created when missing.
    ///
    /// `order_store/path`: A path, absolute or relative to this file's folder. Default
    /// var/orders.sqlite. Needs a restart.
    public var path = "var/orders.sqlite"
    /// Orders that may wait to be stored, and questions that may wait for an answer; beyond it
    /// a call is answered with RESOURCE_EXHAUSTED.
    ///
    /// `order_store/max_waiting`: A whole number, 1 to 1000000. Default 4096. Needs a restart.
    public var maxWaiting = 4096
    /// Orders that share one transaction, and so one sync of the disk, at most.
    ///
    /// `order_store/max_batch`: A whole number, 1 to 100000. Default 512. Needs a restart.
    public var maxBatch = 512
    /// Threads that look orders up.
    ///
    /// `order_store/reader_threads`: A whole number, 1 to 64. Default 2. Needs a restart.
    public var readerThreads = 2
    /// How long the same idempotency key returns the same order; 0 turns keys off.
    ///
    /// `order_store/key_retention_ms`: A whole number of ms, 0 to 31536000000. Default 86400000
    /// ms. Needs a restart.
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
