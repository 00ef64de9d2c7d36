package import OrderStoring
import RocketSystem

/// An order as a caller has seen it. A value.
package struct SeenOrder: Hashable, Sendable {
    /// The digits of its id.
    package var id: String
    /// Its price.
    package var price: Int32
    /// Its goods.
    package var goods: String
    /// When it was stored; nil: the answer did not say it.
    package var createdMilliseconds: Int64?

    /// An order of an answer.
    package init(id: String, price: Int32, goods: String, createdMilliseconds: Int64? = nil) {
        self.id = id
        self.price = price
        self.goods = goods
        self.createdMilliseconds = createdMilliseconds
    }

    /// An order of the store.
    package init(_ order: Order) {
        self.init(
            id: order.id.description, price: order.price, goods: order.goods,
            createdMilliseconds: order.createdMilliseconds)
    }
}

/// What the callers of a store know, over all its processes: shows that orders that were
/// acknowledged are on disk exactly once. Any thread.
///
/// Each draft has goods of its own, except that all drafts of one idempotency key are equal. Keys and
/// orders are kept for longer than the history is used.
package final class OrderHistory: Sendable {
    private struct State {
        /// By their goods.
        var drafts: [String: OrderDraft] = [:]
        /// The goods of drafts with keys that were acknowledged, in the order of their answers.
        var keyed: [String] = []
        /// The orders that any caller has seen, by their ids.
        var seen: [String: SeenOrder] = [:]
        /// The ids of the seen orders by their goods.
        var ids: [String: String] = [:]
        var acknowledged = 0
        var violations: [String] = []
    }

    private let state = Locked(State())

    /// An empty history, for an empty store.
    package init() {}

    /// Calls that were answered with an order.
    package var acknowledgedCount: Int { state.withLock { $0.acknowledged } }

    /// Orders that any caller has seen.
    package var orderCount: Int { state.withLock { $0.seen.count } }

    /// These orders, sorted by their ids.
    package var seenOrders: [SeenOrder] {
        state.withLock { state in state.seen.keys.sorted().compactMap { state.seen[$0] } }
    }

    /// Drafts with keys that were acknowledged: to send one again must return the same order.
    package var acknowledgedKeys: [OrderDraft] {
        state.withLock { state in state.keyed.compactMap { state.drafts[$0] } }
    }

    /// What has broken the rule so far: in an answer, or in `compare`.
    package var violations: [String] { state.withLock { $0.violations } }

    /// A draft is about to be stored: it may be on disk from now on.
    package func sent(_ draft: OrderDraft) { state.withLock { $0.drafts[draft.goods] = draft } }

    /// The caller of a draft was answered with the id of its order: it is on disk.
    package func answered(_ id: String, to draft: OrderDraft) {
        state.withLock { state in
            state.acknowledged += 1
            if draft.idempotencyKey != nil, state.ids[draft.goods] == nil {
                state.keyed.append(draft.goods)
            }
            Self.see(SeenOrder(id: id, price: draft.price, goods: draft.goods), &state)
        }
    }

    /// A caller has seen an order.
    package func saw(_ order: SeenOrder) { state.withLock { Self.see(order, &$0) } }

    /// Compares all orders of the store with what callers know; to be called only when no call is in
    /// flight that was sent before the orders were read.
    package func compare(with orders: [SeenOrder]) {
        state.withLock { state in
            var found: Set<String> = []
            for order in orders {
                Self.see(order, &state)
                if !found.insert(order.id).inserted {
                    state.violations.append("order \(order.id) is listed twice")
                }
            }
            for id in state.seen.keys.sorted() where !found.contains(id) {
                state.violations.append("order \(id) (\(state.seen[id]?.goods ?? "")) is lost")
            }
        }
    }

    private static func see(_ order: SeenOrder, _ state: inout State) {
        if let id = state.ids[order.goods], id != order.id {
            state.violations.append("\(order.goods) has two orders: \(id) and \(order.id)")
        }
        if state.drafts[order.goods]?.price != order.price {
            state.violations.append(
                "order \(order.id) (\(order.goods), \(order.price)) is not what was sent")
        }
        var order = order
        if let earlier = state.seen[order.id] {
            order.createdMilliseconds = order.createdMilliseconds ?? earlier.createdMilliseconds
            let created = earlier.createdMilliseconds ?? order.createdMilliseconds
            if earlier.goods != order.goods {
                state.violations.append(
                    "order \(order.id) is that of \(earlier.goods) and of \(order.goods)")
            } else if created != order.createdMilliseconds {
                state.violations.append("order \(order.id) was made at another time than before")
            }
        }
        state.seen[order.id] = order
        state.ids[order.goods] = order.id
    }
}
