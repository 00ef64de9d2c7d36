import OrderStoring
import Postgres
import RocketReactor

/// Tells the listener of a store all orders in the order of the list, those of other servers too:
/// what this server commits, after what was committed before it, which it reads; and now and then
/// what the others have committed since. Callers have their orders after the listener, unless what
/// was before can't be read at the moment: they don't wait for a connection. Bound to its loop.
final class OrderFollower {
    /// A batch of this server that was committed and not published.
    private struct Committed {
        let new: [Order]
        let before: OrderPageToken
        let answer: () -> Void
    }

    private let stored: StoredOrders
    private let reader: PostgresReader
    private var committed: [Committed] = []
    private var waiting: [(position: OrderPageToken, resume: () -> Void)] = []
    private var isReading = false
    private var timer: ScheduledTimer?

    private static let pageSize = 500

    init(_ stored: StoredOrders, _ reader: PostgresReader) {
        self.stored = stored
        self.reader = reader
    }

    func start(every interval: Duration, on reactor: Reactor) {
        timer = reactor.schedule(every: interval, label: "order-store") { [weak self] _ in
            self?.read(upTo: .max)
        }
    }

    /// Whether all callers have their orders.
    var isIdle: Bool { committed.isEmpty }

    func end() {
        timer.take()?.cancel()
        fail()
    }

    func commit(_ new: [Order], before: Int64, answer: @escaping () -> Void) {
        committed.append(
            Committed(new: new, before: OrderPageToken(after: before), answer: answer))
        publishCommitted()
    }

    /// Calls `resume` when all orders up to a position were published, or can't be.
    func wait(for position: OrderPageToken, _ resume: @escaping () -> Void) {
        if position <= stored.newest { return resume() }
        waiting.append((position, resume))
        read(upTo: .max)
    }

    private func publishCommitted() {
        while let first = committed.first {
            let newest = stored.newest
            guard let last = first.new.last, OrderPageToken(after: last.id) > newest else {
                first.answer()
                committed.removeFirst()
                continue
            }
            if first.before > newest {
                if !reader.isReady { return answerAll() }
                return read(upTo: first.before.after)
            }
            publish(first.new)
        }
        resumeWaiting()
    }

    private func read(upTo end: Int64) {
        if isReading { return }
        isReading = true
        var parameters = PostgresParameters()
        parameters.append(stored.newest.after)
        parameters.append(end)
        parameters.append(Int64(Self.pageSize))
        reader.execute(
            PostgresReader.Internal(statement: PostgresSchema.list, parameters: parameters) {
                [weak self] result in self?.received(result, upTo: end)
            })
    }

    private func received(_ result: Result<PostgresRows, OrderStoreError>, upTo end: Int64) {
        isReading = false
        guard let orders = (try? result.get())?.orders else { return fail() }
        publish(orders)
        if orders.count < Self.pageSize, end != .max {
            stored.advance(to: OrderPageToken(after: end))
        }
        if orders.count == Self.pageSize { read(upTo: end) }
        publishCommitted()
    }

    private func publish(_ orders: [Order]) {
        stored.publish(orders.map { .success($0) }) { _, _ in [] }
        resumeWaiting()
    }

    private func resumeWaiting() {
        if waiting.isEmpty { return }
        let newest = stored.newest
        let reached = waiting.filter { $0.position <= newest }
        waiting.removeAll { $0.position <= newest }
        for waiter in reached { waiter.resume() }
    }

    /// The orders can't be published now; the next read finds them.
    func answerAll() {
        let answers = committed
        committed = []
        for answer in answers { answer.answer() }
    }

    /// Nothing can be read for long.
    private func fail() {
        answerAll()
        let waiters = waiting
        waiting = []
        for waiter in waiters { waiter.resume() }
    }
}
