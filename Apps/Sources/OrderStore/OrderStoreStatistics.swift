/// What the store has done since it was opened.
public struct OrderStoreStatistics: Hashable, Sendable {
    /// New orders that are on disk.
    public var orders: UInt64 = 0
    /// Drafts answered with the order that their idempotency key already had.
    public var repeats: UInt64 = 0
    /// Transactions committed by the writer. Far fewer than orders under load: that is what
    /// group commit is for.
    public var transactions: UInt64 = 0
    /// Transactions that failed; each answered everyone who was in it with an error.
    public var failures: UInt64 = 0
    /// Requests refused because too many waited.
    public var refusals: UInt64 = 0
    /// Drafts that wait for the writer just now.
    public var waiting = 0
}
