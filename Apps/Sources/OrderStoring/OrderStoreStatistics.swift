/// Counters of a store since it was opened. A value.
public struct OrderStoreStatistics: Hashable, Sendable {
    /// New orders on disk.
    public var orders: UInt64 = 0
    /// Requests that returned an existing order with the same idempotency key.
    public var repeats: UInt64 = 0
    /// Transactions committed by the writer. Under load far fewer than orders, by group commit.
    public var transactions: UInt64 = 0
    /// Transactions that failed; every request in them failed with an error.
    public var failures: UInt64 = 0
    /// Requests refused because too many were waiting.
    public var refusals: UInt64 = 0
    /// Drafts that wait for the writer now.
    public var waiting = 0

    /// All zero.
    public init() {}
}
