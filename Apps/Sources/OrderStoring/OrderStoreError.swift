/// Why a request of the store failed. Nothing was stored, except after `outcomeUnknown`, where the
/// order may or may not be on disk: a retry with the same idempotency key is safe.
public enum OrderStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, or its folder, can't be used.
    case cannotOpen(path: String, reason: String)
    /// The file, or its folder, does not exist.
    case missing(path: String, reason: String)
    /// The process may not use the file, or a folder above it: whose it is.
    case notPermitted(path: String, reason: String)
    /// The file is damaged, or not an order store.
    case damaged(path: String, reason: String)
    /// Another process uses the file.
    case inUse(path: String, reason: String)
    /// The file can't be made: it exists, or the disk is full.
    case cannotCreate(path: String, reason: String)
    /// The file was written by a newer version of the store.
    case newerSchema(path: String)
    /// The connection has its share of the queue (`OrderStoreConfiguration.maxWaiting`): so many of
    /// its requests are waiting.
    case tooManyWaiting(Int)
    /// The process has no memory to spare for a page (`recordBytes` of the store).
    case memoryFull
    /// The disk is full. The store works again as soon as there is space.
    case diskFull
    /// The idempotency key belongs to an order with another price or other goods.
    case keyReused(OrderID)
    /// A file of the store was deleted, replaced or emptied while it was open. Until the store is
    /// opened again it writes nothing.
    case filesLost(String)
    /// Writing to the disk failed so late that the order may or may not be stored.
    case outcomeUnknown(reason: String)
    /// The server of the store can't be used at the moment, and may be later or elsewhere.
    case unavailable(reason: String)
    /// The call that the request belongs to has ended.
    case cancelled
    /// The store is closed.
    case closed
    /// SQLite failed in another way. Nothing was stored.
    case failed(reason: String)
    /// An order or a page can't be read.
    case readFailed(reason: String)

    /// What is wrong with the store, without what that means for a single order.
    public var problem: String {
        switch self {
        case .diskFull: "the disk is full"
        case .filesLost(let reason), .outcomeUnknown(let reason), .failed(let reason),
            .readFailed(let reason), .unavailable(let reason):
            reason
        default: description
        }
    }

    /// One line: what happened, and what to do about it if the user can do something.
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason), .missing(let path, let reason),
            .notPermitted(let path, let reason), .damaged(let path, let reason),
            .inUse(let path, let reason):
            "cannot open the order store \(path): \(reason)"
        case .cannotCreate(let path, let reason): "cannot make \(path): \(reason)"
        case .newerSchema(let path):
            "the order store \(path) was written by a newer order_server; use that one"
        case .tooManyWaiting(let count):
            "the order store is busy: \(count) requests of this connection are waiting already; "
                + "try again later"
        case .memoryFull: "the memory for pages of orders is used up; try again later"
        case .diskFull: "the disk of the order store is full; nothing was stored"
        case .keyReused(let id):
            "the idempotency key belongs to order \(id), which has another price or other goods"
        case .filesLost(let problem):
            "the order store has lost its files: \(problem); nothing was stored"
        case .outcomeUnknown(let reason):
            "the order store failed: \(reason); the order may or may not be stored: send it again "
                + "with the same idempotency key"
        case .unavailable(let reason):
            "the order store is not available: \(reason); nothing was stored; try again later"
        case .cancelled: "the call has ended"
        case .closed: "the order store is closed"
        case .failed(let reason): "the order store failed: \(reason); nothing was stored"
        case .readFailed(let reason): "the order store can't read: \(reason)"
        }
    }
}
