/// What an operator of a store should know. A value.
public enum OrderStoreEvent: Hashable, Sendable {
    /// Writing failed, after it had succeeded. The store tries again once a second. `.filesLost`,
    /// after which it does not, is reported also while writing fails already.
    case writesFail(OrderStoreError)
    /// Writing succeeds again. Since it failed, so many transactions, with so many orders, failed.
    case writesRecovered(transactions: UInt64, orders: UInt64)
    /// Reading failed, for so many calls since the last event of this kind. At most one event per
    /// minute: peers can repeat a read that fails.
    case readsFail(OrderStoreError, since: Int)
    /// The store was opened and had no files: it is empty, and its ids begin with 1.
    case created
    /// Closing left orders in the write-ahead log: without it, the database file is incomplete.
    case notCheckpointed(String)
}
