import GRDB

/// A question on its way to a reader, and who waits for the answer.
enum WaitingQuestion: Sendable {
    case find(OrderID, CheckedContinuation<Result<Order?, OrderStoreError>, Never>)
    case list(
        after: Int64, limit: Int, CheckedContinuation<Result<OrderPage, OrderStoreError>, Never>)

    /// Runs within a read transaction.
    func answer(from db: Database) {
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
        // The day belongs to the id: with another one this is not the order that was asked for.
        return order.id == id ? order : nil
    }

    private func list(after: Int64, limit: Int, in db: Database) throws -> OrderPage {
        let statement = try db.cachedStatement(sql: OrderSchema.listOrders)
        // One more than asked for tells whether there is a next page.
        let rows = try Row.fetchAll(statement, arguments: [after, limit + 1])
        let orders = rows.prefix(limit).map(Order.init(row:))
        let next = rows.count > limit ? orders.last : nil
        return OrderPage(
            orders: orders, next: next.map { OrderPageToken(after: $0.id.sequence) })
    }
}

/// Answers questions; each reader thread has its own snapshot of the database and never waits
/// for the writer.
final class OrderReader: Sendable {
    let queue: WaitingQueue<WaitingQuestion>
    private let pool: DatabasePool

    /// Questions answered within one read transaction at most.
    private static let questionsPerTransaction = 64

    init(pool: DatabasePool, configuration: OrderStoreConfiguration) {
        self.pool = pool
        self.queue = WaitingQueue(limit: configuration.maxWaiting)
    }

    /// Answers until the queue is closed and empty. The body of every reader thread.
    func run() {
        var batch: [WaitingQuestion] = []
        while queue.take(upTo: Self.questionsPerTransaction, into: &batch) {
            var unanswered = batch[...]
            do {
                try pool.read { db in
                    while let question = unanswered.first {
                        question.answer(from: db)
                        unanswered.removeFirst()
                    }
                }
            } catch {
                for question in unanswered { question.fail(OrderStoreError(error)) }
            }
        }
    }
}

extension Result where Failure == OrderStoreError {
    fileprivate static func of(_ body: () throws -> Success) -> Self {
        do { return .success(try body()) } catch { return .failure(OrderStoreError(error)) }
    }
}
