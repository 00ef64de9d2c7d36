import OrderProtos
import OrderStore
import RocketBase
import RocketRPC
import RocketSystem

/// Logs what happens to the store, and sets the health of the server to NOT_SERVING while the store
/// can't write. Any thread.
final class OrderStoreMonitor: Sendable {
    private struct State {
        var health: RPCHealth?
        var isFailing = false
    }

    private let logger: RocketLogger
    private let state = Locked(State())

    init(logger: RocketLogger) { self.logger = logger }

    convenience init(logs: LogSystem) { self.init(logger: logs.app) }

    /// Sets the health of this server from now on.
    func report(to health: RPCHealth) {
        state.withLock { state in
            state.health = health
            if state.isFailing { Self.set(.notServing, health) }
        }
    }

    /// The observer of the store.
    @Sendable
    func observe(_ event: OrderStoreEvent) {
        switch event {
        case .writesFail(let error):
            writesFailLogger(for: error)?.error("order store can't write") {
                $0.add("error", error.description)
            }
            change(isFailing: true)
        case .writesRecovered(let transactions, let orders):
            logger.throttled(.warn, "order store writes again")?.warn("order store writes again") {
                $0.add("failed_transactions", transactions)
                $0.add("failed_orders", orders)
            }
            change(isFailing: false)
        case .readsFail(let error, let count):
            logger.error("order store can't read") {
                $0.add("error", error.description)
                $0.add("calls", count)
            }
        case .created: logger.info("order store created: it is empty")
        case .notCheckpointed(let reason):
            logger.error("order store not checkpointed: keep its -wal file with it") {
                $0.add("reason", reason)
            }
        }
    }

    /// Returns nil to leave the line out: a disk can fail and recover at a high rate. Lost files are
    /// always logged, which happens once.
    private func writesFailLogger(for error: OrderStoreError) -> RocketLogger? {
        if case .filesLost = error { return logger }
        return logger.throttled(.error, "order store can't write")
    }

    private func change(isFailing: Bool) {
        state.withLock { state in
            state.isFailing = isFailing
            guard let health = state.health else { return }
            Self.set(isFailing ? .notServing : .serving, health)
        }
    }

    /// The server has no other purpose than its orders, so it has the health of their service.
    private static func set(_ status: RPCHealth.Status, _ health: RPCHealth) {
        health.set(status, for: OrderHandler.serviceName)
        health.set(status)
    }
}
