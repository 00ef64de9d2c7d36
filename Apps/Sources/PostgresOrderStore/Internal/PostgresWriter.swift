import OrderStoring
import Postgres
import RocketReactor
import RocketSystem

/// What the writer needs of its store. Bound to its loop.
protocol PostgresWriterOwner: AnyObject {
    /// A batch was committed: publishes its orders, then calls `answer`.
    ///
    /// - Parameter before: the sequence number before its new orders.
    func committed(_ new: [Order], before: Int64, answer: @escaping () -> Void)
    /// The writer has stored everything, after the queue was closed.
    func writerFinished()
    /// The session is open, on this host, or again.
    func writerOpened(host: Int)
    /// The session is lost, or could not be opened.
    func writerLost(_ error: PostgresError)
}

/// The writer of a store, with group commit: one transaction at a time, which has all orders that
/// wait. While it is committed, the next batch accumulates. Bound to its loop.
///
/// A transaction whose connection is lost may have been committed. The next connection makes it
/// impossible, or finds that it was (`PostgresSchema.abandon`), before anything else is stored and
/// before any of its callers is resumed. If it was not, its orders are stored again.
final class PostgresWriter: PostgresSessionOwner {
    private enum Phase {
        /// Nothing is sent.
        case idle
        case storing(Sent)
        /// The last transaction of a lost connection.
        case unknown(Sent)
        case resolving(Sent)
        /// Expired keys are deleted, or the database is tried in an outage.
        case maintaining
    }

    /// A batch that was sent, with its callers.
    private struct Sent {
        let number: Int64
        let batch: OrderBatch
        let requests: [WriteRequest]
    }

    private let configuration: PostgresOrderStoreConfiguration
    private let queue: WaitingQueue<WriteRequest>
    private let reactor: Reactor
    private let time: any TimeSource
    private let wake: any WorkerHandle
    private let counters: StoreCounters
    private weak var owner: (any PostgresWriterOwner)?
    private var session: PostgresSession?
    private var phase = Phase.idle
    /// Requests that were taken and have to be stored (again), before those of the queue.
    private var again: [WriteRequest] = []
    /// Requests whose batch was refused, so that each is stored by itself.
    private var single: [WriteRequest] = []
    private var batch: [WriteRequest] = []
    /// Transactions in a row that were undone without a reason in the orders.
    private var undone = 0
    private let server: Int64
    private var number: Int64 = 0
    private var lastError = PostgresError(message: "no connection yet")
    /// Why the connection was lost that is opened again.
    private var loss: PostgresError?
    private var wasOpen = false
    private var isOut = false
    private var isClosing = false
    private var hasFinished = false
    private var outageTimer: ScheduledTimer?
    private var resolveTimer: ScheduledTimer?
    private var timers: [ScheduledTimer] = []
    private var nextSweep = MonotonicTime(nanoseconds: 0)
    private var hasMoreKeys = false
    private var maintenanceBegan = MonotonicTime(nanoseconds: 0)

    /// So often a transaction is tried that a lost connection or a deadlock has undone.
    private static let maxAttempts = 5
    private static let keysPerSweep: Int64 = 1000
    private static let sweepInterval = Duration.seconds(60)

    /// Tags of the statements of a transaction.
    private enum Tag {
        static let lock = 1
        static let store = 2
        static let outcome = 3
        static let other = 4
        static let deleteKeys = 5
        static let deleteBatches = 6
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
        var random = reactor.random
        server = Int64.random(in: 1 ... .max, using: &random)
    }

    func start() {
        typealias Schema = PostgresSchema
        let session = PostgresSession(
            configuration, isWriter: true,
            [
                Schema.lock, Schema.store, Schema.abandon, Schema.outcome, Schema.probe,
                Schema.deleteKeys, Schema.deleteBatches,
            ], on: reactor, owner: self)
        self.session = session
        session.start()
        timers.append(
            reactor.schedule(every: .seconds(1), label: "order-store") { [weak self] _ in
                self?.maintain()
            })
    }

    func close() {
        isClosing = true
        pump()
    }

    func end() {
        session.take()?.close()
        for timer in timers { timer.cancel() }
        outageTimer.take()?.cancel()
        resolveTimer.take()?.cancel()
    }

    // MARK: Storing

    /// Sends what waits, if nothing is sent; while the database can't be reached for long, refuses it.
    func pump() {
        if isOut { failWaiting() }
        guard session?.isReady == true else { return finishIfClosed() }
        switch phase {
        case .idle: break
        case .unknown(let sent): return resolve(sent)
        default: return
        }
        if hasMoreKeys, isSweepDue { return sendMaintenance() }
        var requests: [WriteRequest] = []
        swap(&requests, &again)
        if requests.isEmpty, !single.isEmpty { requests = [single.removeFirst()] }
        if requests.isEmpty {
            guard queue.take(upTo: configuration.maxBatch, into: &batch, for: wake) == .taken else {
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

    private func committed(_ sent: Sent, before: Int64, known: [Int: Order?]) {
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
    private func retry(_ sent: Sent, _ error: PostgresError) {
        undone += 1
        if undone < Self.maxAttempts {
            again = sent.requests + again
        } else {
            undone = 0
            failed(sent.requests, .unavailable(reason: error.description))
        }
    }

    private func failed(_ requests: [WriteRequest], _ error: OrderStoreError) {
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

    func ended(_ results: [PostgresResult], of session: PostgresSession) {
        let error = results.lazy.compactMap(\.error).first
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
                phase = .unknown(sent)
                if error?.isReadOnly == true, let error { return session.reconnect(error) }
                // Its time has passed while it was looked for.
                if resolveTimer == nil { giveUp() }
                return
            }
        case .maintaining:
            phase = .idle
            let now = time.monotonic()
            if let error {
                counters.failed(OrderStoreError(error), orders: 0, at: now)
                if error.isReadOnly { return session.reconnect(error) }
            } else {
                if let rows = results.rows(Tag.deleteKeys) {
                    // A tenth of the time, so that new orders don't wait for it.
                    let isDone = rows.integer(0, 0) ?? 0 < Self.keysPerSweep
                    hasMoreKeys = !isDone
                    nextSweep =
                        now
                        + (isDone ? Self.sweepInterval : (now - maintenanceBegan) * 9)
                }
                counters.committed(orders: 0, repeats: 0, at: now)
            }
        case .idle, .unknown: break
        }
        pump()
    }

    func lost(_ session: PostgresSession, _ error: PostgresError, unknown: [Int]) {
        lastError = error
        loss = loss ?? error
        switch phase {
        case .resolving(let sent) where resolveTimer == nil:
            // Its time has passed while it was looked for.
            phase = .unknown(sent)
            giveUp()
        case .storing(let sent), .resolving(let sent):
            phase = .unknown(sent)
            if resolveTimer == nil {
                resolveTimer = reactor.schedule(
                    after: configuration.resolveTimeout, label: "order-store"
                ) { [weak self] _ in self?.giveUp() }
            }
        case .maintaining: phase = .idle
        case .idle, .unknown: break
        }
        owner?.writerLost(error)
        if outageTimer == nil, !isOut {
            outageTimer = reactor.schedule(
                after: configuration.outageTimeout, label: "order-store"
            ) { [weak self] _ in self?.beginOutage() }
        }
        pump()
    }

    // MARK: A lost transaction

    private func resolve(_ sent: Sent) {
        phase = .resolving(sent)
        var parameters = PostgresParameters()
        parameters.append(server)
        parameters.append(sent.number)
        session?.execute(PostgresSchema.abandon, parameters, tag: Tag.other)
        session?.execute(PostgresSchema.outcome, parameters, tag: Tag.outcome)
        session?.sync()
    }

    private func resolved(_ sent: Sent, _ rows: PostgresRows) {
        guard let before = rows.integer(0, 0) else {
            phase = .idle
            resolveTimer.take()?.cancel()
            retry(sent, lastError)
            return
        }
        var known: [Int: Order?] = [:]
        for row in 0..<rows.count {
            if let number = rows.integer(row, 1) { known.updateValue(nil, forKey: Int(number)) }
        }
        committed(sent, before: before, known: known)
    }

    private func giveUp() {
        resolveTimer = nil
        guard case .unknown(let sent) = phase else { return }
        phase = .idle
        failed(sent.requests, .outcomeUnknown(reason: lastError.description))
        finishIfClosed()
    }

    // MARK: An outage

    private func beginOutage() {
        outageTimer = nil
        isOut = true
        counters.failed(OrderStoreError(lastError), orders: 0, at: time.monotonic())
        failWaiting()
        finishIfClosed()
    }

    private func failWaiting() {
        let error = OrderStoreError(lastError)
        let taken = again + single
        if !taken.isEmpty { failed(taken, error) }
        again = []
        single = []
        while queue.take(upTo: configuration.maxBatch, into: &batch, for: wake) == .taken {
            failed(batch, error)
        }
    }

    /// Once a second: finds out what became of a transaction, in an outage tries to write, deletes
    /// expired keys.
    private func maintain() {
        if case .unknown = phase { return pump() }
        if counters.isFailing || isSweepDue { sendMaintenance() }
    }

    private var isSweepDue: Bool {
        configuration.keyRetention > .zero && time.monotonic() >= nextSweep
    }

    private func sendMaintenance() {
        guard case .idle = phase, session?.isReady == true else { return }
        let isSweep = isSweepDue
        maintenanceBegan = time.monotonic()
        phase = .maintaining
        number += 1
        var parameters = PostgresParameters()
        parameters.append(server)
        parameters.append(number)
        session?.execute(PostgresSchema.lock, PostgresParameters(), tag: Tag.lock)
        session?.execute(PostgresSchema.probe, parameters, tag: Tag.other)
        if isSweep {
            session?.execute(
                PostgresSchema.deleteBatches, parameters, tag: Tag.deleteBatches)
            var parameters = PostgresParameters()
            parameters.append(
                time.wall().milliseconds - configuration.keyRetention.milliseconds)
            parameters.append(Self.keysPerSweep)
            session?.execute(PostgresSchema.deleteKeys, parameters, tag: Tag.deleteKeys)
        }
        session?.sync()
    }

    private func finishIfClosed() {
        guard isClosing, !hasFinished, again.isEmpty, single.isEmpty, queue.count == 0 else {
            return
        }
        switch phase {
        case .idle, .maintaining: break
        default: return
        }
        hasFinished = true
        owner?.writerFinished()
    }
}

extension PostgresResult {
    /// The error of the statement; nil: it succeeded, or another one has failed.
    var error: PostgresError? {
        if case .failure(.failed(let error)) = rows { error } else { nil }
    }
}

extension [PostgresResult] {
    /// The rows of a statement that succeeded.
    func rows(_ tag: Int) -> PostgresRows? {
        guard let found = first(where: { $0.tag == tag }) else { return nil }
        return try? found.rows.get()
    }
}
