import GRDB

/// A read that waits for a reader, with its caller.
enum ReadRequest: Sendable {
    case find(OrderID, CheckedContinuation<Result<Order?, OrderStoreError>, Never>)
    case list(
        after: Int64, limit: Int, CheckedContinuation<Result<OrderPage, OrderStoreError>, Never>)

    /// Reads, and resumes the caller with the result. Within a read transaction.
    func execute(in db: Database) {
        switch self {
        case .find(let id, let caller): caller.resume(returning: .of { try find(id, in: db) })
        case .list(let after, let limit, let caller):
            caller.resume(returning: .of { try list(after: after, limit: limit, in: db) })
        }
    }

    func fail(_ error: OrderStoreError) {
        switch self {
        case .find(_, let caller): caller.resume(returning: .failure(error))
        case .list(_, _, let caller): caller.resume(returning: .failure(error))
        }
    }

    private func find(_ id: OrderID, in db: Database) throws -> Order? {
        let statement = try db.cachedStatement(sql: OrderSchema.findOrder)
        guard let row = try Row.fetchOne(statement, arguments: [id.sequence]) else { return nil }
        let order = Order(row: row)
        // The day is a part of the id: with another day this is not the requested order.
        return order.id == id ? order : nil
    }

    private func list(after: Int64, limit: Int, in db: Database) throws -> OrderPage {
        let statement = try db.cachedStatement(sql: OrderSchema.listOrders)
        // One more than requested shows whether there is a next page.
        let rows = try Row.fetchAll(statement, arguments: [after, limit + 1])
        let orders = rows.prefix(limit).map(Order.init(row:))
        let next = rows.count > limit ? orders.last : nil
        return OrderPage(
            orders: orders, next: next.map { OrderPageToken(after: $0.id.sequence) })
    }
}

/// Executes reads. Each reader thread has its own snapshot of the database and never waits for the
/// writer.
final class OrderReader: Sendable {
    let queue: WaitingQueue<ReadRequest>
    private let pool: DatabasePool

    /// Requests within one read transaction at most.
    private static let requestsPerTransaction = 64

    init(pool: DatabasePool, configuration: OrderStoreConfiguration) {
        self.pool = pool
        self.queue = WaitingQueue(limit: configuration.maxWaiting)
    }

    /// Executes requests until the queue is closed and empty. The body of every reader thread.
    func run() {
        var batch: [ReadRequest] = []
        while queue.take(upTo: Self.requestsPerTransaction, into: &batch) {
            var pending = batch[...]
            do {
                try pool.read { db in
                    while let request = pending.first {
                        request.execute(in: db)
                        pending.removeFirst()
                    }
                }
            } catch {
                for request in pending { request.fail(OrderStoreError(error)) }
            }
        }
    }
}

extension Result where Failure == OrderStoreError {
    fileprivate static func of(_ body: () throws -> Success) -> Self {
        do { return .success(try body()) } catch { return .failure(OrderStoreError(error)) }
    }
}
