import OrderStoring
import Postgres
import RocketReactor
import RocketSystem

/// The writer of a store, with group commit: one transaction at a time, which has all orders that
/// wait. While it is committed, the next batch accumulates. Bound to its loop.
///
/// A transaction whose connection is lost may have been committed. The next connection makes it
/// impossible, or finds that it was (`PostgresSchema.abandon`), before anything else is stored and
/// before any of its callers is resumed. If it was not, its orders are stored again.
final class PostgresWriter: PostgresSessionOwner {
    enum Phase {
        /// Nothing is sent.
        case idle
        case storing(Sent)
        /// The last transaction of a lost connection.
        case unknown(Sent)
        case resolving(Sent)
        /// Expired keys are deleted, or the database is tried in an outage.
        case maintaining
        /// A step of the retention, since this time.
        case removing(MonotonicTime)
    }

    /// A batch that was sent, with its callers.
    struct Sent {
        let number: Int64
        let batch: OrderBatch
        let requests: [WriteRequest]
    }

    let configuration: PostgresOrderStoreConfiguration
    private let queue: WaitingQueue<WriteRequest>
    let reactor: Reactor
    let time: any TimeSource
    private let wake: any WorkerHandle
    let counters: StoreCounters
    private weak var owner: (any PostgresWriterOwner)?
    var session: PostgresSession?
    var phase = Phase.idle
    /// Requests that were taken and have to be stored (again), before those of the queue.
    private var again: [WriteRequest] = []
    /// Requests whose batch was refused, so that each is stored by itself.
    private var single: [WriteRequest] = []
    private var batch: [WriteRequest] = []
    /// Transactions in a row that were undone without a reason in the orders.
    private var undone = 0
    let server: Int64
    var number: Int64 = 0
    var lastError = PostgresError(message: "no connection yet")
    /// Why the connection was lost that is opened again.
    private var loss: PostgresError?
    private var wasOpen = false
    private var isOut = false
    private var isClosing = false
    private var hasFinished = false
    private var outageTimer: ScheduledTimer?
    var resolveTimer: ScheduledTimer?
    private var timers: [ScheduledTimer] = []
    var nextSweep = MonotonicTime(nanoseconds: 0)
    var hasMoreKeys = false
    var maintenanceBegan = MonotonicTime(nanoseconds: 0)
    var retention: PostgresRetention?
    var retentionTimer: ScheduledTimer?
    /// Before the next orders: without it, there would be no time for it under load.
    var isMaintenanceDue = false

    /// So often a transaction is tried that a lost connection or a deadlock has undone.
    private static let maxAttempts = 5

    /// Tags of the statements of a transaction.
    enum Tag {
        static let lock = 1
        static let store = 2
        static let outcome = 3
        static let other = 4
        static let deleteKeys = 5
        static let deleteBatches = 6
        static let retention = 7
    }

    init(
        _ configuration: PostgresOrderStoreConfiguration, _ queue: WaitingQueue<WriteRequest>,
        _ counters: StoreCounters, on reactor: Reactor, time: any TimeSource,
        wake: any WorkerHandle, owner: any PostgresWriterOwner
    ) {
        self.configuration = configuration
        self.queue = queue
        self.counters = counters
        self.reactor = reactor
        self.time = time
        self.wake = wake
        self.owner = owner
        retention = PostgresRetention(configuration)
        var random = reactor.random
        server = Int64.random(in: 1 ... .max, using: &random)
    }

    func start() {
        typealias Schema = PostgresSchema
        let session = PostgresSession(
            configuration, isWriter: true,
            [
                Schema.lock, Schema.store, Schema.abandon, Schema.outcome, Schema.probe,
                Schema.deleteKeys, Schema.deleteBatches, Schema.beginRetention,
                Schema.removeOrders, Schema.endRetention,
            ], on: reactor, owner: self)
        self.session = session
        session.start()
        timers.append(
            reactor.schedule(every: .seconds(1), label: "order-store") { [weak self] _ in
                self?.isMaintenanceDue = true
                self?.pump()
            })
    }

    func close() {
        isClosing = true
        pump()
    }

    /// Closes the connection. Fails what has not ended: what was sent may be stored.
    func end() {
        hasFinished = true
        report(retention?.failed(isLost: true, at: time.monotonic()))
        session.take()?.close()
        for timer in timers { timer.cancel() }
        outageTimer.take()?.cancel()
        resolveTimer.take()?.cancel()
        retentionTimer.take()?.cancel()
        switch phase {
        case .storing(let sent), .unknown(let sent), .resolving(let sent):
            let reason = "the database has not answered before the store was closed"
            failed(sent.requests, .outcomeUnknown(reason: reason))
            report([.closedUnanswered(orders: sent.requests.count)])
        case .idle, .maintaining, .removing: break
        }
        phase = .idle
        failWaiting(.closed)
    }

    // MARK: Storing

    /// Sends what waits, if nothing is sent; while the database can't be reached for long, refuses it.
    func pump() {
        if isOut { failWaiting(OrderStoreError(lastError)) }
        guard session?.isReady == true else { return finishIfClosed() }
        switch phase {
        case .idle: break
        case .unknown(let sent): return resolve(sent)
        default: return
        }
        if hasMoreKeys, isSweepDue { isMaintenanceDue = true }
        if isMaintenanceDue {
            isMaintenanceDue = false
            if !isClosing, maintain() || removeOldOrders() { return }
        }
        var requests: [WriteRequest] = []
        swap(&requests, &again)
        if requests.isEmpty, !single.isEmpty { requests = [single.removeFirst()] }
        if requests.isEmpty {
            guard queue.takeOrders(upTo: configuration.maxBatch, into: &batch, for: wake) == .taken
            else {
                return finishIfClosed()
            }
            requests = batch
        }
        store(requests)
    }

    private func store(_ requests: [WriteRequest]) {
        number += 1
        let now = time.wall().milliseconds
        let retention = configuration.keyRetention.milliseconds
        let sent = Sent(
            number: number,
            batch: OrderBatch(
                requests.map(\.draft), createdMilliseconds: now, keepsKeys: retention > 0),
            requests: requests)
        phase = .storing(sent)
        session?.execute(PostgresSchema.lock, PostgresParameters(), tag: Tag.lock)
        session?.execute(
            PostgresSchema.store,
            sent.batch.parameters(
                server: server, number: number, expiredMilliseconds: now - retention),
            tag: Tag.store)
        session?.sync()
    }

    private func stored(_ sent: Sent, _ rows: PostgresRows) {
        var before: Int64 = 0
        var known: [Int: Order?] = [:]
        for row in 0..<rows.count {
            let number = Int(rows.integer(row, 0) ?? 0)
            if number == 0 {
                before = rows.integer(row, 1) ?? 0
            } else {
                known.updateValue(Order(rows, row: row, first: 1), forKey: number)
            }
        }
        committed(sent, before: before, known: known)
    }

    func committed(_ sent: Sent, before: Int64, known: [Int: Order?]) {
        phase = .idle
        undone = 0
        resolveTimer.take()?.cancel()
        let outcome = sent.batch.outcome(before: before, known: known)
        var answers: [(WriteRequest, Result<Order, OrderStoreError>)] = []
        for (request, result) in zip(sent.requests, outcome.results) {
            // The outcome of a lost transaction does not have the order; the next one has.
            if let result { answers.append((request, result)) } else { again.append(request) }
        }
        counters.committed(
            orders: outcome.new.count, repeats: outcome.repeats, at: time.monotonic())
        owner?.committed(outcome.new, before: before) {
            for (request, result) in answers { request.caller.resume(returning: result) }
        }
    }

    /// The server has undone a transaction.
    private func refused(_ sent: Sent, _ error: PostgresError) {
        if error.isTransient {
            retry(sent, error)
        } else if error.isOfRows, sent.requests.count > 1 {
            // Others must not fail with the one that it is about.
            single = sent.requests + single
        } else {
            failed(sent.requests, OrderStoreError(error))
        }
    }

    /// Stores orders again whose transaction was undone.
    func retry(_ sent: Sent, _ error: PostgresError) {
        undone += 1
        if undone < Self.maxAttempts {
            again = sent.requests + again
        } else {
            undone = 0
            failed(sent.requests, .unavailable(reason: error.description))
        }
    }

    func failed(_ requests: [WriteRequest], _ error: OrderStoreError) {
        counters.failed(error, orders: requests.count, at: time.monotonic())
        for request in requests { request.caller.resume(returning: .failure(error)) }
    }

    // MARK: The session

    func ready(_ session: PostgresSession) {
        outageTimer.take()?.cancel()
        isOut = false
        if let loss = loss.take(), wasOpen {
            counters.reconnected(
                host: configuration.url.name(ofHost: session.host), reason: loss.description,
                at: time.monotonic())
        }
        wasOpen = true
        owner?.writerOpened(host: session.host)
        pump()
    }

    func preparedAgain(_ session: PostgresSession) { pump() }

    func ended(_ results: [PostgresResult], of session: PostgresSession) {
        let error = results.lazy.compactMap(\.error).first
        if let error, session.prepareAgain(after: error) { return undo() }
        switch phase {
        case .storing(let sent):
            if let error {
                phase = .idle
                // A standby, after a failover: its orders are stored by another host.
                if error.isReadOnly {
                    again = sent.requests + again
                    return session.reconnect(error)
                }
                refused(sent, error)
            } else if let rows = results.rows(Tag.store) {
                stored(sent, rows)
            } else {
                phase = .idle
                failed(sent.requests, .outcomeUnknown(reason: "the server has sent no result"))
            }
        case .resolving(let sent):
            if let rows = results.rows(Tag.outcome), rows.count > 0 {
                resolved(sent, rows)
            } else {
                // Not known yet, as when its transaction still waits.
                if let error, error.isReadOnly { return session.reconnect(error) }
                return unresolved(sent)
            }
        case .maintaining:
            phase = .idle
            maintained(results, error)
            if let error, error.isReadOnly { return session.reconnect(error) }
        case .removing(let begin): removed(results, error, since: begin)
        case .idle, .unknown: break
        }
        pump()
    }

    func lost(_ session: PostgresSession, _ error: PostgresError, unknown: [Int]) {
        lastError = error
        loss = loss ?? error
        switch phase {
        case .storing(let sent):
            phase = .unknown(sent)
            resolveTimer = reactor.schedule(
                after: configuration.resolveTimeout, label: "order-store"
            ) { [weak self] _ in self?.giveUp() }
        case .resolving(let sent): unresolved(sent)
        case .maintaining, .removing: phase = .idle
        case .idle, .unknown: break
        }
        report(retention?.failed(isLost: true, at: time.monotonic()))
        owner?.writerLost(error)
        if outageTimer == nil, !isOut {
            outageTimer = reactor.schedule(
                after: configuration.outageTimeout, label: "order-store"
            ) { [weak self] _ in self?.beginOutage() }
        }
        pump()
    }

    /// The transaction is sent again when the statements are prepared anew.
    private func undo() {
        switch phase {
        case .storing(let sent):
            phase = .idle
            again = sent.requests + again
        case .resolving(let sent): unresolved(sent)
        case .maintaining, .removing:
            phase = .idle
            isMaintenanceDue = true
        case .idle, .unknown: break
        }
    }

    // MARK: An outage

    private func beginOutage() {
        outageTimer = nil
        isOut = true
        let error = OrderStoreError(lastError)
        counters.failed(error, orders: 0, at: time.monotonic())
        failWaiting(error)
        finishIfClosed()
    }

    private func failWaiting(_ error: OrderStoreError) {
        let taken = again + single
        if !taken.isEmpty { failed(taken, error) }
        again = []
        single = []
        while queue.takeOrders(upTo: configuration.maxBatch, into: &batch, for: wake) == .taken {
            failed(batch, error)
        }
    }

    func finishIfClosed() {
        guard isClosing, !hasFinished, again.isEmpty, single.isEmpty, queue.count == 0 else {
            return
        }
        switch phase {
        case .idle, .maintaining, .removing: break
        default: return
        }
        hasFinished = true
        owner?.writerFinished()
    }
}
