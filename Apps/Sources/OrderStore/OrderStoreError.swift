/// Why the store could not do what it was asked. Nothing was stored, except where `failed` says
/// that the outcome of a commit is not known: a retry with the same idempotency key is safe.
public enum OrderStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, or its folder, can't be used.
    case cannotOpen(path: String, reason: String)
    /// The file was written by a newer version of the store.
    case newerSchema(path: String)
    /// As many requests wait already as may (`OrderStoreConfiguration.maxWaiting`).
    case tooManyWaiting(limit: Int)
    /// The disk is full. The store works again as soon as there is space.
    case diskFull
    /// The idempotency key belongs to an order with another price or other goods.
    case keyReused(OrderID)
    /// The store is closed.
    case closed
    /// SQLite failed in another way.
    case failed(reason: String)

    /// One line: what happened and, where there is something, what to do.
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "cannot open the order store \(path): \(reason)"
        case .newerSchema(let path):
            "the order store \(path) was written by a newer order_server; use that one"
        case .tooManyWaiting(let limit):
            "the order store is busy: \(limit) requests wait already; try again later"
        case .diskFull: "the order store's disk is full; nothing was stored"
        case .keyReused(let id):
            "the idempotency key belongs to order \(id), which has another price or other goods"
        case .closed: "the order store is closed"
        case .failed(let reason): "the order store failed: \(reason)"
        }
    }
}
