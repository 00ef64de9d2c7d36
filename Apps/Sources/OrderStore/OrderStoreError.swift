/// Why a request of the store failed. Nothing was stored, except that after `failed` the outcome of
/// a commit may be unknown: a retry with the same idempotency key is safe.
public enum OrderStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, or its folder, can't be used.
    case cannotOpen(path: String, reason: String)
    /// The file was written by a newer version of the store.
    case newerSchema(path: String)
    /// The queue is full (`OrderStoreConfiguration.maxWaiting`).
    case tooManyWaiting(limit: Int)
    /// The disk is full. The store works again as soon as there is space.
    case diskFull
    /// The idempotency key belongs to an order with another price or other goods.
    case keyReused(OrderID)
    /// The store is closed.
    case closed
    /// SQLite failed in another way.
    case failed(reason: String)

    /// One line: what happened, and what to do about it if the user can do something.
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "cannot open the order store \(path): \(reason)"
        case .newerSchema(let path):
            "the order store \(path) was written by a newer order_server; use that one"
        case .tooManyWaiting(let limit):
            "the order store is busy: \(limit) requests are waiting already; try again later"
        case .diskFull: "the disk of the order store is full; nothing was stored"
        case .keyReused(let id):
            "the idempotency key belongs to order \(id), which has another price or other goods"
        case .closed: "the order store is closed"
        case .failed(let reason): "the order store failed: \(reason)"
        }
    }
}
