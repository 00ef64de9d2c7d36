package import OrderStore
import RocketSystem

/// What the callers of a store know, over all its processes: shows that orders that were
/// acknowledged are on disk exactly once. Any thread.
///
/// Each draft has goods of its own, except that all drafts of one idempotency key are equal. Keys and
/// orders are kept for longer than the ledger is used.
package final class OrderLedger: Sendable {
    private struct State {
        /// By their goods.
        var drafts: [String: OrderDraft] = [:]
        /// The orders that any caller has seen, by their ids.
        var seen: [OrderID: Order] = [:]
        /// The ids of the seen orders by their goods.
        var ids: [String: OrderID] = [:]
        var acknowledged = 0
        var violations: [String] = []
    }

    private let state = Locked(State())

    /// An empty ledger, for an empty store.
    package init() {}

    /// Calls that were answered with an order.
    package var acknowledgedCount: Int { state.withLock { $0.acknowledged } }

    /// Orders that any caller has seen.
    package var orderCount: Int { state.withLock { $0.seen.count } }

    /// What has broken the rule so far: in an answer, or in `compare`.
    package var violations: [String] { state.withLock { $0.violations } }

    /// Stores an order, and records the draft before and the answer behind it.
    package func make(_ draft: OrderDraft, in store: OrderStore) async throws(OrderStoreError) {
        sent(draft)
        answered(try await store.make(draft))
    }

    /// Reads all orders of the store page by page, and compares them.
    package func compare(with store: OrderStore, pageSize: Int = 50) async throws(OrderStoreError) {
        var orders: [Order] = []
        var token: OrderPageToken? = .start
        while let from = token {
            let page = try await store.orders(from: from, limit: pageSize)
            orders += page.orders
            token = page.next
        }
        compare(with: orders)
    }

    /// A draft is about to be stored: it may be on disk from now on.
    package func sent(_ draft: OrderDraft) { state.withLock { $0.drafts[draft.goods] = draft } }

    /// A caller was answered: the order is on disk.
    package func answered(_ order: Order) {
        state.withLock { state in
            state.acknowledged += 1
            Self.see(order, &state)
        }
    }

    /// Compares all orders of the store with what callers know; to be called only when no call is in
    /// flight that was sent before the orders were read.
    package func compare(with orders: [Order]) {
        state.withLock { state in
            for (order, next) in zip(orders, orders.dropFirst())
            where order.id.description >= next.id.description {
                // Ids begin with the day, which a clock that was set back changes.
                if order.id == next.id { state.violations.append("order \(order.id) twice") }
            }
            for order in orders { Self.see(order, &state) }
            let found = Set(orders)
            let lost = state.seen.values.filter { !found.contains($0) }
            for order in lost.sorted(by: { $0.id.description < $1.id.description }) {
                state.violations.append("order \(order.id) (\(order.goods)) is lost")
            }
        }
    }

    private static func see(_ order: Order, _ state: inout State) {
        if let earlier = state.seen[order.id], earlier != order {
            state.violations.append(
                "id \(order.id) is that of \(earlier.goods) and of \(order.goods)")
        }
        if let id = state.ids[order.goods], id != order.id {
            state.violations.append("\(order.goods) has two orders: \(id) and \(order.id)")
        }
        let draft = state.drafts[order.goods]
        if draft?.price != order.price {
            state.violations.append(
                "order \(order.id) (\(order.goods), \(order.price)) is not what was sent")
        }
        state.seen[order.id] = order
        state.ids[order.goods] = order.id
    }
}
