/// What an operator of a store should know. A value.
public enum OrderStoreEvent: Hashable, Sendable {
    /// An outage begins: writing failed. The store tries again once a second. `.filesLost`, after
    /// which it does not, is reported also while writing fails already.
    case writesFail(OrderStoreError)
    /// The outage has ended: nothing has failed for 5 s, the store has written, and a disk that was
    /// full has room for 1 MiB. So many transactions, with so many orders, failed in it.
    case writesRecovered(transactions: UInt64, orders: UInt64)
    /// Reading failed, for so many calls since the last event of this kind. At most one event per
    /// minute: peers can repeat a read that fails.
    case readsFail(OrderStoreError, since: Int)
    /// The connection to the server of the store was lost, for this reason, and is open again, to
    /// this host. At most one event per second.
    case reconnected(host: String, reason: String)
    /// The store was opened and had no files: it is empty, and its ids begin with 1.
    case created
    /// The tables of an older store were changed, after a copy of it was made.
    case migrated(from: Int, to: Int, backup: String)
    /// Orders older than the retention were moved to this file of the archive.
    case ordersArchived(Int, file: String)
    /// Orders older than the retention were deleted, and are in no archive.
    case ordersDeleted(Int)
    /// Orders older than the retention could not be moved to the archive; none was deleted. The
    /// store tries again after an hour.
    case archiveFails(String)
    /// Closing left orders in the write-ahead log: without it, the database file is incomplete.
    case notCheckpointed(String)
    /// The store was closed before its database had answered: so many orders may or may not be stored.
    case closedUnanswered(orders: Int)
}

/// Is passed the events of a store, on a thread of the store, which waits until it returns.
public typealias OrderStoreObserver = @Sendable (OrderStoreEvent) -> Void
