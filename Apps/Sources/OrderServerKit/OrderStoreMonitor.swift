import OrderProtos
import OrderStoring
import RocketBase
import RocketRPC
import RocketSystem

/// Logs what happens to the store, and while the store can't write, sets the health of the server to
/// NOT_SERVING and returns a text for its status. Any thread.
final class OrderStoreMonitor: Sendable {
    private struct State {
        var health: RPCHealth?
        var outage: OrderStoreError?
    }

    private let logger: RocketLogger
    private let state = Locked(State())

    init(logger: RocketLogger) { self.logger = logger }

    convenience init(logs: LogSystem) { self.init(logger: logs.app) }

    /// Sets the health of this server from now on.
    func report(to health: RPCHealth) {
        state.withLock { state in
            state.health = health
            if state.outage != nil { Self.set(.notServing, health) }
        }
    }

    /// A condition for the status of the service: nil while the store can write.
    @Sendable
    func status() -> String? {
        state.withLock { $0.outage }.map { "orders are not stored: \($0.problem)" }
    }

    /// The observer of the store.
    @Sendable
    func observe(_ event: OrderStoreEvent) {
        switch event {
        case .writesFail(let error):
            logger.error("order store can't write") { $0.add("error", error.description) }
            change(outage: error)
        case .writesRecovered(let transactions, let orders):
            logger.warn("order store writes again") {
                $0.add("failed_transactions", transactions)
                $0.add("failed_orders", orders)
            }
            change(outage: nil)
        case .readsFail(let error, let count):
            logger.error("order store can't read") {
                $0.add("error", error.description)
                $0.add("calls", count)
            }
        case .reconnected(let host, let reason):
            logger.warn("order store connected again") {
                $0.add("host", host)
                $0.add("reason", reason)
            }
        case .created: logger.info("order store created: it is empty")
        case .migrated(let from, let to, let backup):
            logger.info("order store migrated") {
                $0.add("from", from)
                $0.add("to", to)
                $0.add("backup", backup)
            }
        case .ordersArchived(let count, let file):
            logger.info("orders archived") {
                $0.add("orders", count)
                $0.add("file", file)
            }
        case .ordersDeleted(let count):
            logger.info("orders deleted") { $0.add("orders", count) }
        case .archiveFails(let reason):
            logger.error("old orders not removed from the store") { $0.add("error", reason) }
        case .notCheckpointed(let reason):
            logger.error("order store not checkpointed: keep its -wal file with it") {
                $0.add("reason", reason)
            }
        case .closedUnanswered(let orders):
            logger.error("order store closed without an answer: orders may or may not be stored") {
                $0.add("orders", orders)
            }
        }
    }

    private func change(outage: OrderStoreError?) {
        state.withLock { state in
            state.outage = outage
            guard let health = state.health else { return }
            Self.set(outage == nil ? .serving : .notServing, health)
        }
    }

    /// The server has no other purpose than its orders, so it has the health of their service.
    private static func set(_ status: RPCHealth.Status, _ health: RPCHealth) {
        health.set(status, for: OrderHandler.serviceName)
        health.set(status)
    }
}
