import OrderStoring
import RocketSystem
import SQLite

/// The only writer of a store, with group commit: commits all waiting drafts in one transaction,
/// then resumes their callers (`WriterWorker`). While a commit waits for the disk, the next batch
/// accumulates: under load a transaction has many orders. Without load an order does not wait, except
/// within the time of a commit after one of several orders: there it waits for an eighth of that time,
/// 50 to 625 us, for their callers, also if these do not return (`BatchGathering`).
///
/// After each commit, and before the callers are resumed, it compares the files with those that it
/// has opened; if they are others, it writes nothing any more. Another failure begins an outage, in
/// which it tries to write once a second, with or without requests. Orders are stored meanwhile if
/// that succeeds; the outage ends only when nothing has failed for a while, so that a disk with room
/// for small orders, or one that fails now and then, has one outage and not many.
///
/// Between commits it removes orders that are older than the retention (`OrderRetention`).
///
/// What writes belongs to the writer's worker.
final class OrderWriter: Sendable {
    let queue: WaitingQueue<WriteRequest>
    private let pool: DatabasePool
    private let files: OrderFiles
    let configuration: OrderStoreConfiguration
    let time: any TimeSource
    /// The time between attempts to write while the store fails.
    let retryInterval: Duration
    let observe: OrderStoreObserver
    let stored = StoredOrders()
    private let state = Locked(State())

    private struct State {
        var statistics = OrderStoreStatistics()
        var outage = WriteOutage()
        /// What has happened to the files; nil: they are those that were opened.
        var filesProblem: String?
        var nextSweep = MonotonicTime(nanoseconds: 0)
    }

    /// The time without a failure after which an outage ends.
    static let settleInterval = WriteOutage.settleInterval
    /// The room that a disk that was full must have: for a transaction of many orders.
    static let bytesFreeAfterFull = 1 << 20
    /// Expired keys deleted per transaction at most, so that no commit takes much longer for it.
    static let keysPerSweep = 512
    /// Orders of transactions with an unknown outcome that are told later, at most.
    static let mostMissing: Int64 = 100_000
    /// The time between sweeps when no expired key is left.
    static let sweepInterval = Duration.seconds(60)

    init(
        pool: DatabasePool, files: OrderFiles, configuration: OrderStoreConfiguration,
        time: any TimeSource, retryInterval: Duration = .seconds(1),
        observe: @escaping OrderStoreObserver = { _ in }
    ) {
        self.pool = pool
        self.files = files
        self.configuration = configuration
        self.time = time
        self.retryInterval = retryInterval
        self.observe = observe
        self.queue = WaitingQueue(limit: configuration.maxWaiting)
    }

    var statistics: OrderStoreStatistics {
        var statistics = state.withLock { $0.statistics }
        statistics.waiting = queue.count
        return statistics
    }

    /// Whether there is an outage.
    var isFailing: Bool { state.withLock { $0.outage.isActive } }

    /// Whether the files are no longer those that were opened.
    var hasLostFiles: Bool { state.withLock { $0.filesProblem != nil } }

    func countRefusal() { state.withLock { $0.statistics.refusals += 1 } }

    /// One step of the retention.
    func removeOldOrders(_ retention: inout OrderRetention) {
        let events = retention.step(in: pool, time: time) { sequences throws(OrderStoreError) in
            do throws(OrderStoreError) {
                try write { db in
                    for sequence in sequences {
                        try db.cachedStatement(sql: OrderSchema.deleteKeyOfOrder)
                            .execute(arguments: [sequence])
                        try db.cachedStatement(sql: OrderSchema.deleteOrder)
                            .execute(arguments: [sequence])
                    }
                }
            } catch {
                failed(error, orders: 0)
                throw error
            }
        }
        for event in events { observe(event) }
    }

    /// Stores the drafts in one transaction.
    ///
    /// - Returns: their results, whose callers are to be resumed.
    func commit(_ batch: [WriteRequest]) -> [Result<Order, OrderStoreError>] {
        var transaction = OrderTransaction(
            nowMilliseconds: time.wall().milliseconds,
            retentionMilliseconds: configuration.keyRetention.milliseconds)
        do {
            try write { db in
                for request in batch { try transaction.store(request.draft, in: db) }
                try sweep(transaction, in: db)
            }
        } catch {
            failed(error, orders: batch.count)
            return Array(repeating: .failure(error), count: batch.count)
        }
        state.withLock { [transaction] in
            $0.statistics.transactions += 1
            $0.statistics.orders += transaction.newOrders
            $0.statistics.repeats += transaction.repeats
        }
        return transaction.results
    }

    /// Reads which orders the store has, at its opening. A store that is damaged there can be opened:
    /// other orders can be read.
    func findNewest() {
        try? pool.writeWithoutTransaction { db in
            let newest = try? Row.fetchOne(db, sql: OrderSchema.newestOrder).map {
                OrderID(sequence: $0[0], createdMilliseconds: $0[3])
            }
            let given = try Int64.fetchOne(db, sql: OrderSchema.lastSequence) ?? 0
            stored.begin(at: max(given, newest?.sequence ?? 0), newest)
        }
    }

    /// Tells who listens the orders that a transaction has stored. Before their callers are resumed:
    /// an order that was confirmed has been told.
    func publish(_ results: [Result<Order, OrderStoreError>]) {
        stored.publish(results) { position, order in
            let count = order.id.sequence - position.after - 1
            let rows = try? pool.writeWithoutTransaction { db in
                try Row.fetchAll(
                    try db.cachedStatement(sql: OrderSchema.listOrders),
                    arguments: [position.after, min(count, Self.mostMissing)])
            }
            let orders = (rows ?? []).compactMap { try? Order(row: $0) }
            return orders.filter { $0.id.sequence < order.id.sequence }
        }
    }

    /// Writes as an order is written, and stores none: ends the outage if that succeeds and nothing
    /// has failed for a while.
    func retry() {
        let wasFull = state.withLock { $0.outage.isDiskFull }
        if wasFull,
            !FreeSpace.hasRoom(for: Self.bytesFreeAfterFull, beside: files.path)
        {
            return
        }
        do {
            try write { db in
                var transaction = OrderTransaction(nowMilliseconds: 0, retentionMilliseconds: 0)
                try db.inSavepoint {
                    try transaction.store(OrderDraft(price: 0, goods: ""), in: db)
                    return .rollback
                }
                try db.execute(sql: OrderSchema.writeHeader)
            }
            endOutageIfSettled()
        } catch {
            failed(error, orders: 0)
        }
    }

    /// Runs `body` in a transaction, which is on disk when this returns.
    ///
    /// - Throws: `.outcomeUnknown` if the failure may have come too late to undo it.
    private func write(_ body: (Database) throws -> Void) throws(OrderStoreError) {
        if let problem = state.withLock({ $0.filesProblem }) { throw .filesLost(problem) }
        var hasWritten = false
        var isCommitting = false
        do {
            try pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    let changes = db.totalChangesCount
                    try body(db)
                    hasWritten = db.totalChangesCount != changes
                    isCommitting = true
                    return .commit
                }
            }
        } catch {
            throw isCommitting ? OrderStoreError(commitFailure: error) : OrderStoreError(error)
        }
        let problem: String?
        do { problem = try files.problem(hasWritten: hasWritten) } catch {
            throw .outcomeUnknown(reason: error.description)
        }
        guard let problem else { return }
        let now = time.monotonic()
        state.withLock { state in
            state.filesProblem = problem
            // Reported here, also within an outage.
            _ = state.outage.failed(.filesLost(problem), orders: 0, at: now)
        }
        observe(.writesFail(.filesLost(problem)))
        throw .outcomeUnknown(reason: problem)
    }

    /// Deletes expired keys: once a minute, and with every transaction while more are left. The
    /// interval is measured on the monotonic clock, which nobody sets.
    private func sweep(_ transaction: OrderTransaction, in db: Database) throws {
        let now = time.monotonic()
        guard now >= state.withLock({ $0.nextSweep }) else { return }
        let isDone = try transaction.deleteExpiredKeys(upTo: Self.keysPerSweep, in: db)
        if isDone { state.withLock { $0.nextSweep = now + Self.sweepInterval } }
    }

    private func endOutageIfSettled() {
        let now = time.monotonic()
        let event = state.withLock { state in
            state.statistics.transactions += 1
            return state.outage.wrote(at: now)
        }
        if let event { observe(event) }
    }

    private func failed(_ error: OrderStoreError, orders: Int) {
        let now = time.monotonic()
        let event = state.withLock { state in
            state.statistics.failures += 1
            return state.outage.failed(error, orders: orders, at: now)
        }
        if let event { observe(event) }
    }
}
