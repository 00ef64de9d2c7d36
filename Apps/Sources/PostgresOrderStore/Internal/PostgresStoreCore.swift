import OrderStoring
import Postgres
import RocketReactor
import RocketSystem

/// The parts of a store on its loop, and the order in which they begin and end.
final class PostgresStoreCore: PostgresWriterOwner {
    private let configuration: PostgresOrderStoreConfiguration
    private let stored: StoredOrders
    private let reactor: Reactor
    private let reader: PostgresReader
    private let follower: OrderFollower
    private var writer: PostgresWriter?
    private let makeWriter: (any PostgresWriterOwner) -> PostgresWriter
    private var opened: ((OrderStoreError?) -> Void)?
    private var ended: (() -> Void)?
    private var openTimer: ScheduledTimer?
    private var closeTimer: ScheduledTimer?
    private var openError = PostgresError(message: "no answer in time")
    private var isReading = false
    private var hasWritten = false
    /// It was never open.
    private var hasFailed = false

    init(
        _ configuration: PostgresOrderStoreConfiguration, _ requests: OrderRequests,
        _ stored: StoredOrders, _ counters: StoreCounters, on reactor: Reactor,
        time: any TimeSource, opened: @escaping (OrderStoreError?) -> Void,
        ended: @escaping () -> Void
    ) {
        self.configuration = configuration
        self.stored = stored
        self.reactor = reactor
        self.opened = opened
        self.ended = ended
        let wake = LoopWake(reactor.loop)
        reader = PostgresReader(
            configuration, requests, counters, on: reactor, time: time, wake: wake)
        follower = OrderFollower(stored, reader)
        makeWriter = {
            PostgresWriter(
                configuration, requests.writes, counters, on: reactor, time: time, wake: wake,
                owner: $0)
        }
        wake.begin(self, on: reactor)
        reader.whenEnded = { [weak self] in self?.endIfFinished() }
        reader.whenLost = { [weak self, follower] error in
            follower.answerAll()
            self?.openError = error
        }
    }

    /// Connects.
    func start() {
        openTimer = reactor.schedule(
            after: configuration.connectTimeout, label: "order-store"
        ) { [weak self] _ in self?.failOpening() }
        let writer = makeWriter(self)
        self.writer = writer
        writer.start()
    }

    /// Takes what waits.
    func pump() {
        writer?.pump()
        reader.pump()
        endIfFinished()
    }

    func wait(for position: OrderPageToken, _ resume: @escaping () -> Void) {
        follower.wait(for: position, resume)
    }

    /// Ends when nothing waits any more, and after the time for it at the latest: whatever the database
    /// has answered meanwhile, what stops the server does not wait for longer.
    func close() {
        closeTimer = reactor.schedule(
            after: configuration.closeTimeout, label: "order-store"
        ) { [weak self] _ in self?.end() }
        writer?.close()
        pump()
    }

    // MARK: Opening

    func writerLost(_ error: PostgresError) {
        guard opened != nil else { return }
        openError = error
        if error.isFinal { failOpening() }
    }

    func writerOpened(host: Int) {
        // Its tables are there now. What is read must be what is stored: not of a server that has
        // been replaced.
        if isReading { return reader.move(to: host) }
        if opened == nil { return }
        isReading = true
        reader.start(host: host)
        reader.execute(
            PostgresReader.Internal(
                statement: PostgresSchema.lock, parameters: PostgresParameters()
            ) { [weak self] result in
                // Without it, the newest order may be behind one that is not visible yet.
                if case .failure(let error) = result { self?.began(.failure(error)) }
            })
        reader.execute(
            PostgresReader.Internal(
                statement: PostgresSchema.newest, parameters: PostgresParameters()
            ) { [weak self] in self?.began($0) })
    }

    private func began(_ result: Result<PostgresRows, OrderStoreError>) {
        guard let opened = opened.take() else { return }
        openTimer.take()?.cancel()
        do throws(OrderStoreError) {
            let rows = try result.get()
            let id = rows.integer(0, 1).map {
                OrderID(sequence: $0, createdMilliseconds: rows.integer(0, 2) ?? 0)
            }
            stored.begin(at: max(rows.integer(0, 0) ?? 0, id?.sequence ?? 0), id)
            follower.start(every: configuration.followInterval, on: reactor)
            opened(nil)
        } catch {
            hasFailed = true
            opened(error)
        }
    }

    private func failOpening() {
        guard let opened = opened.take() else { return }
        openTimer.take()?.cancel()
        hasFailed = true
        opened(OrderStoreError(opening: configuration.url, openError))
    }

    // MARK: The writer

    func committed(_ new: [Order], before: Int64, answer: @escaping () -> Void) {
        follower.commit(new, before: before) { [weak self] in
            answer()
            self?.endIfFinished()
        }
    }

    func writerFinished() {
        hasWritten = true
        endIfFinished()
    }

    private func endIfFinished() {
        if hasWritten, hasFailed || follower.isIdle && reader.isIdle { end() }
    }

    /// What has not ended fails.
    private func end() {
        guard let ended = ended.take() else { return }
        closeTimer.take()?.cancel()
        writer?.end()
        follower.end()
        reader.end()
        ended()
    }
}

/// Wakes the store's loop when a request waits. Any thread.
private final class LoopWake: WorkerHandle {
    private struct Weak {
        weak var core: PostgresStoreCore?
        init(_ core: PostgresStoreCore) { self.core = core }
    }

    private let loop: EventLoop
    private let core = Locked<LoopBound<Weak>?>(nil)

    init(_ loop: EventLoop) { self.loop = loop }

    func begin(_ core: PostgresStoreCore, on reactor: Reactor) {
        self.core.withLock { $0 = LoopBound(Weak(core), on: reactor) }
    }

    func wake() {
        guard let core = core.withLock({ $0 }) else { return }
        loop.execute { _ in core.get().core?.pump() }
    }
}
