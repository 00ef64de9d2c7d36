import OrderStoring
import Postgres
import RocketReactor
import RocketSystem

/// The steps of the retention, between the transactions of orders.
extension PostgresWriter {
    /// - Returns: whether a transaction was sent.
    func removeOldOrders() -> Bool {
        let now = time.monotonic()
        guard let retention, now >= retention.due else { return false }
        phase = .removing(now)
        let step = retention.statement(nowMilliseconds: time.wall().milliseconds)
        session?.execute(PostgresSchema.lock, PostgresParameters(), tag: Tag.lock)
        session?.execute(step.statement, step.parameters, tag: Tag.retention)
        session?.sync()
        return true
    }

    func removed(
        _ results: [PostgresResult], _ error: PostgresError?, since begin: MonotonicTime
    ) {
        phase = .idle
        let now = time.monotonic()
        guard error == nil, let rows = results.rows(Tag.retention) else {
            let error = error ?? PostgresError(message: "the server has sent no result")
            counters.failed(OrderStoreError(error), orders: 0, at: now)
            report(retention?.failed(isLost: false, at: now))
            if error.isReadOnly { session?.reconnect(error) }
            return
        }
        report(retention?.ended(rows.firstRow, began: begin, at: now))
        guard let due = retention?.due, due < now + .seconds(1) else { return }
        retentionTimer = reactor.schedule(
            after: due > now ? due - now : .zero, label: "order-store"
        ) { [weak self] _ in
            self?.isMaintenanceDue = true
            self?.pump()
        }
    }

    func report(_ events: [OrderStoreEvent]?) { counters.report(events ?? []) }
}
