import OrderStoring
import Postgres
import RocketReactor
import RocketSystem

/// The reader of a store: sends all reads that wait in one pipeline. Reads whose connection is lost
/// are sent again on the next one. Bound to its loop.
final class PostgresReader: PostgresSessionOwner {
    /// A read of the store itself.
    struct Internal {
        let statement: PostgresSchema.Statement
        let parameters: PostgresParameters
        let completion: (Result<PostgresRows, OrderStoreError>) -> Void
    }

    private enum Entry {
        case request(ReadRequest)
        case own(Internal)

        var isPage: Bool {
            if case .request(let request) = self { request.occupiesSource } else { false }
        }
    }

    private let configuration: PostgresOrderStoreConfiguration
    private let requests: OrderRequests
    private let reactor: Reactor
    private let time: any TimeSource
    private let wake: any WorkerHandle
    private let counters: StoreCounters
    private var session: PostgresSession?
    private var sent: [Int: Entry] = [:]
    private var tag = 0
    /// Whether a read was sent without a sync.
    private var isPipelined = false
    /// To be sent, before those of the queue.
    private var again: [Entry] = []
    private var batch: [ReadRequest] = []
    private var lastError = PostgresError(message: "no connection yet")
    private var isOut = false
    private var outageTimer: ScheduledTimer?
    /// Called when reads have ended.
    var whenEnded: () -> Void = {}
    /// Called when the connection is lost, or can't be opened.
    var whenLost: (PostgresError) -> Void = { _ in }
    /// Pages that are sent, and connections that were lost since a read has ended.
    private var pages = 0
    private var losses = 0

    /// Reads that are sent at most before their results.
    private static let maxSent = 256
    /// Pages that are sent at most: so much more than the limit of their bytes is in memory.
    private static let maxPages = 4
    /// A read is sent on so many connections at most: it may be what ends them.
    private static let maxLosses = 5

    init(
        _ configuration: PostgresOrderStoreConfiguration, _ requests: OrderRequests,
        _ counters: StoreCounters, on reactor: Reactor, time: any TimeSource,
        wake: any WorkerHandle
    ) {
        self.configuration = configuration
        self.requests = requests
        self.counters = counters
        self.reactor = reactor
        self.time = time
        self.wake = wake
    }

    /// Connects to a host; once.
    func start(host: Int) {
        typealias Schema = PostgresSchema
        let session = PostgresSession(
            configuration, host: host, isWriter: false,
            [Schema.lock, Schema.newest, Schema.find, Schema.list], on: reactor, owner: self)
        self.session = session
        session.start()
    }

    /// Connects to the host that orders are stored at now, and reads there what was not read.
    func move(to host: Int) { session?.move(to: host) }

    /// Whether nothing is read, or will be.
    var isIdle: Bool { sent.isEmpty && again.isEmpty && requests.reads.count == 0 }

    /// Whether reads are sent at once.
    var isReady: Bool { session?.isReady == true }

    /// Closes the connection. Fails what has not ended.
    func end() {
        session.take()?.close()
        outageTimer.take()?.cancel()
        isOut = true
        failWaiting(.closed)
        for (_, entry) in sent.sorted(by: { $0.key < $1.key }) { fail(entry, .closed) }
        sent = [:]
    }

    /// Reads for the store itself.
    func execute(_ read: Internal) {
        if isOut { return read.completion(.failure(OrderStoreError(readFailure: lastError))) }
        again.append(.own(read))
        pump()
    }

    /// Sends what waits.
    func pump() {
        if isOut { failWaiting(OrderStoreError(readFailure: lastError)) }
        guard session?.isReady == true else { return }
        let before = tag
        var entries: [Entry] = []
        swap(&entries, &again)
        for entry in entries { send(entry) }
        while sent.count < Self.maxSent, pages < Self.maxPages,
            requests.reads.take(upTo: Self.maxSent - sent.count, into: &batch, for: wake) == .taken
        {
            for request in batch {
                requests.reportWait(of: request)
                send(.request(request))
            }
        }
        if tag == before { return }
        isPipelined = false
        session?.sync()
    }

    private func send(_ entry: Entry) {
        var parameters = PostgresParameters()
        let statement: PostgresSchema.Statement
        switch entry {
        case .request(let request):
            switch request.kind {
            case .find(let id, _, _):
                statement = PostgresSchema.find
                parameters.append(id.sequence)
            case .list(let after, let limit, let call, _):
                if call.isCancelled { return requests.fail(request, .cancelled) }
                statement = PostgresSchema.list
                parameters.append(after)
                parameters.append(Int64.max)
                // One more than requested shows whether there is a next page.
                parameters.append(Int64(limit) + 1)
            }
        case .own(let read):
            statement = read.statement
            parameters = read.parameters
        }
        if isPipelined { session?.requestResults() }
        isPipelined = true
        tag += 1
        if entry.isPage { pages += 1 }
        sent[tag] = entry
        session?.execute(statement, parameters, tag: tag)
    }

    // MARK: The session

    func ready(_ session: PostgresSession) {
        outageTimer.take()?.cancel()
        isOut = false
        pump()
    }

    func preparedAgain(_ session: PostgresSession) { pump() }

    func ended(_ results: [PostgresResult], of session: PostgresSession) {
        for result in results {
            guard let entry = sent.removeValue(forKey: result.tag) else { continue }
            if entry.isPage { pages -= 1 }
            losses = 0
            switch result.rows {
            case .success(let rows): finish(entry, rows)
            case .failure(.aborted): again.append(entry)
            case .failure(.failed(let error)) where session.prepareAgain(after: error):
                again.append(entry)
            case .failure(.failed(let error)):
                let error = OrderStoreError(readFailure: error)
                counters.readFailed(error, at: time.monotonic())
                fail(entry, error)
            }
        }
        pump()
        whenEnded()
    }

    func lost(_ session: PostgresSession, _ error: PostgresError, unknown: [Int]) {
        lastError = error
        // In their order; all that were sent are unknown.
        let unfinished = sent.sorted { $0.key < $1.key }.map(\.value)
        sent = [:]
        pages = 0
        whenLost(error)
        if !unfinished.isEmpty { losses += 1 }
        if losses < Self.maxLosses {
            again = unfinished + again
        } else {
            losses = 0
            for entry in unfinished { fail(entry, OrderStoreError(readFailure: error)) }
        }
        if outageTimer == nil, !isOut {
            outageTimer = reactor.schedule(
                after: configuration.outageTimeout, label: "order-store"
            ) { [weak self] _ in self?.beginOutage() }
        }
        pump()
    }

    private func beginOutage() {
        outageTimer = nil
        isOut = true
        let error = OrderStoreError(readFailure: lastError)
        counters.readFailed(error, at: time.monotonic())
        failWaiting(error)
        whenEnded()
    }

    private func failWaiting(_ error: OrderStoreError) {
        var entries: [Entry] = []
        swap(&entries, &again)
        for entry in entries { fail(entry, error) }
        while requests.reads.take(upTo: Self.maxSent, into: &batch, for: wake) == .taken {
            for request in batch { requests.fail(request, error) }
        }
    }

    // MARK: Results

    private func finish(_ entry: Entry, _ rows: PostgresRows) {
        switch entry {
        case .own(let read): read.completion(.success(rows))
        case .request(let request):
            guard let orders = rows.orders else {
                return fail(entry, .readFailed(reason: "the database has sent no orders"))
            }
            switch request.kind {
            case .find(let id, _, let caller):
                // The day is a part of the id: with another day this is not the requested order.
                caller.resume(returning: .success(orders.first.flatMap { $0.id == id ? $0 : nil }))
            case .list(_, let limit, _, _):
                let page = Array(orders.prefix(limit))
                let next = orders.count > limit ? page.last : nil
                requests.finish(
                    request,
                    with: .success(
                        OrderPage(
                            orders: page, next: next.map { OrderPageToken(after: $0.id) })))
            }
        }
    }

    private func fail(_ entry: Entry, _ error: OrderStoreError) {
        switch entry {
        case .request(let request): requests.fail(request, error)
        case .own(let read): read.completion(.failure(error))
        }
    }
}

extension PostgresRows {
    /// The orders of `PostgresSchema.find` and `list`; nil: they are no orders.
    var orders: [Order]? {
        var orders: [Order] = []
        orders.reserveCapacity(count)
        for row in 0..<count {
            guard let order = Order(self, row: row) else { return nil }
            orders.append(order)
        }
        return orders
    }
}
