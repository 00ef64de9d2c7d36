import OrderStoring
import RocketSystem
import SQLite

/// A read that waits for a reader, with its caller.
struct ReadRequest: QueuedRequest {
    enum Kind: Sendable {
        case find(OrderID, CheckedContinuation<Result<Order?, OrderStoreError>, Never>)
        case list(
            after: Int64, limit: Int, any OrderPageCaller,
            CheckedContinuation<Result<OrderPage, OrderStoreError>, Never>)
    }

    let source: ObjectIdentifier?
    let kind: Kind

    /// One page of a connection is on its way at a time.
    var occupiesSource: Bool { if case .list = kind { true } else { false } }
}

/// Executes reads. Each worker (`ReaderWorker`) has its own snapshot of the database and never waits
/// for the writer.
///
/// No page is read while the pages that their callers have not received exceed the limit in bytes.
final class OrderReader: Sendable {
    let queue: WaitingQueue<ReadRequest>
    private let pool: DatabasePool
    private let time: any TimeSource
    private let observe: OrderStoreObserver
    private let recordBytes: @Sendable (Int) -> Bool
    private let failures = Locked(ReadFailures())

    /// Requests within one read transaction at most.
    fileprivate static let requestsPerTransaction = 64

    init(
        pool: DatabasePool, configuration: OrderStoreConfiguration, time: any TimeSource,
        observe: @escaping OrderStoreObserver, recordBytes: @escaping @Sendable (Int) -> Bool
    ) {
        self.pool = pool
        self.time = time
        self.observe = observe
        self.recordBytes = recordBytes
        queue = WaitingQueue(
            limit: configuration.maxWaiting, heldLimitBytes: configuration.maxPageBytes)
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
            for request in pending { fail(request, error) }
        }
    }

    /// Reads, and resumes the caller with the result. Within a read transaction.
    private func execute(_ request: ReadRequest, in db: Database) {
        switch request.kind {
        case .find(let id, let caller): caller.resume(returning: result { try find(id, in: db) })
        case .list(let after, let limit, let call, let caller):
            if call.isCancelled { return fail(request, .cancelled) }
            switch result({ try list(after: after, limit: limit, in: db) }) {
            case .success(let page):
                let bytes = page.byteCount
                guard recordBytes(bytes) else { return fail(request, .memoryFull) }
                queue.hold(bytes: bytes)
                caller.resume(returning: .success(page))
            case .failure(let error): fail(request, error)
            }
        }
    }

    private func fail(_ request: ReadRequest, _ error: OrderStoreError) {
        switch request.kind {
        case .find(_, let caller): caller.resume(returning: .failure(error))
        case .list(_, _, _, let caller):
            queue.release(request.source)
            caller.resume(returning: .failure(error))
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
