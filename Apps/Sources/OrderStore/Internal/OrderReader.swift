import OrderStoring
import RocketSystem
import SQLite

/// Executes reads. Each worker (`ReaderWorker`) has its own snapshot of the database and never waits
/// for the writer.
///
/// No page is read while the pages that their callers have not received exceed the limit in bytes.
final class OrderReader: Sendable {
    var queue: WaitingQueue<ReadRequest> { requests.reads }
    private let requests: OrderRequests
    private let pool: DatabasePool
    private let time: any TimeSource
    private let observe: OrderStoreObserver
    private let failures = Locked(ReadFailures())

    /// Requests within one read transaction at most.
    fileprivate static let requestsPerTransaction = 64

    init(
        pool: DatabasePool, requests: OrderRequests, time: any TimeSource,
        observe: @escaping OrderStoreObserver
    ) {
        self.pool = pool
        self.time = time
        self.observe = observe
        self.requests = requests
    }

    /// Opens a connection for each worker: all of them may read at the same time. A connection that
    /// is opened later could find another file at the path.
    func openConnections() {
        do {
            try pool.openReaders { _ = try? Int.fetchOne($0, sql: OrderSchema.anyOrder) }
        } catch {
            record(OrderStoreError(readFailure: error))
        }
    }

    fileprivate func execute(_ batch: [ReadRequest]) {
        var pending = batch[...]
        do {
            try pool.read { db in
                while let request = pending.first {
                    execute(request, in: db)
                    pending.removeFirst()
                }
            }
        } catch {
            let error = OrderStoreError(readFailure: error)
            record(error)
            for request in pending { requests.fail(request, error) }
        }
    }

    /// Reads, and resumes the caller with the result. Within a read transaction.
    private func execute(_ request: ReadRequest, in db: Database) {
        switch request.kind {
        case .find(let id, _, let caller):
            requests.reportWait(of: request)
            caller.resume(returning: result { try find(id, in: db) })
        case .list(let after, let limit, let call, _):
            requests.reportWait(of: request)
            if call.isCancelled { return requests.fail(request, .cancelled) }
            requests.finish(
                request, with: result { try list(after: after, limit: limit, in: db) })
        }
    }

    private func find(_ id: OrderID, in db: Database) throws -> Order? {
        let statement = try db.cachedStatement(sql: OrderSchema.findOrder)
        guard let row = try Row.fetchOne(statement, arguments: [id.sequence]) else { return nil }
        let order = try Order(row: row)
        // The day is a part of the id: with another day this is not the requested order.
        return order.id == id ? order : nil
    }

    private func list(after: Int64, limit: Int, in db: Database) throws -> OrderPage {
        let statement = try db.cachedStatement(sql: OrderSchema.listOrders)
        // One more than requested shows whether there is a next page.
        let rows = try Row.fetchAll(statement, arguments: [after, limit + 1])
        let orders = try rows.prefix(limit).map(Order.init(row:))
        let next = rows.count > limit ? orders.last : nil
        return OrderPage(
            orders: orders, next: next.map { OrderPageToken(after: $0.id.sequence) })
    }

    private func result<Value>(_ body: () throws -> Value) -> Result<Value, OrderStoreError> {
        do { return .success(try body()) } catch {
            let error = OrderStoreError(readFailure: error)
            record(error)
            return .failure(error)
        }
    }

    private func record(_ error: OrderStoreError) {
        let report = failures.withLock { $0.record(at: time.monotonic()) }
        if let report { observe(.readsFail(error, since: report)) }
    }
}

/// The steps of one of a store's readers: each executes the requests of a batch.
struct ReaderWorker: StoreWorker {
    private let reader: OrderReader
    private var batch: [ReadRequest] = []

    init(_ reader: OrderReader) { self.reader = reader }

    mutating func step(for handle: any WorkerHandle) -> WorkerStep {
        switch reader.queue.take(
            upTo: OrderReader.requestsPerTransaction, into: &batch, for: handle)
        {
        case .taken:
            reader.execute(batch)
            return .again
        case .empty: return .sleep(until: nil)
        case .finished: return .finished
        }
    }
}
