import RocketSystem

/// The newest order of a store, and who is told of each order that is stored. The writer's worker
/// publishes; the rest on any thread.
package final class StoredOrders: Sendable {
    private struct State {
        /// No order has a larger number.
        var newest = OrderPageToken.start
        /// The newest order that was in the store at the start, or was published.
        var id: OrderID?
        var listener: (@Sendable (Order) -> Void)?
    }

    private let state = Locked(State())

    package init() {}

    /// The position behind all orders that the store has, or has ever had.
    package var newest: OrderPageToken { state.withLock { $0.newest } }

    /// - Parameters:
    ///   - sequence: the largest number that the store has given.
    ///   - id: the newest order in it.
    package func begin(at sequence: Int64, _ id: OrderID?) {
        state.withLock { state in
            state.newest = OrderPageToken(after: sequence)
            state.id = id
        }
    }

    /// There are no orders up to a position that were not published.
    package func advance(to position: OrderPageToken) {
        state.withLock { $0.newest = max($0.newest, position) }
    }

    /// Tells the listener the new ones among the results of a transaction, in their order. An order
    /// that a key has returned has been told before.
    ///
    /// - Parameter missing: the orders behind a position and before an order that were not told: a
    ///   transaction whose outcome was unknown has stored them.
    package func publish(
        _ results: [Result<Order, OrderStoreError>],
        missing: (OrderPageToken, Order) -> [Order]
    ) {
        var (newest, id, listener) = state.withLock { ($0.newest, $0.id, $0.listener) }
        for case .success(let order) in results where OrderPageToken(after: order.id) > newest {
            if order.id.sequence > newest.after + 1, let listener {
                for earlier in missing(newest, order) { listener(earlier) }
            }
            newest = OrderPageToken(after: order.id)
            id = order.id
            listener?(order)
        }
        state.withLock { [newest, id] state in
            state.newest = newest
            state.id = id
        }
    }

    /// Sets who is told of each order that is stored from now on.
    ///
    /// - Returns: the position behind the orders that were stored before, and the newest of them.
    package func listen(_ listener: @escaping @Sendable (Order) -> Void) -> (
        OrderPageToken, OrderID?
    ) {
        state.withLock { state in
            state.listener = listener
            return (state.newest, state.id)
        }
    }
}
