/// A store of orders: what order_server needs of one, whatever keeps them. Any thread or loop; its
/// functions suspend and never block.
///
/// Every store passes the suite `OrderStoreConformance`, which is this contract as tests. Opening a
/// store, and the maintenance of what it keeps, are those of each store.
public protocol OrderStoring: AnyObject, Sendable {
    /// Stores an order, and returns when it is durable. If the store has an order with the same
    /// idempotency key, returns that order instead.
    ///
    /// - Parameter source: the connection that the order came from; nil: unknown. The store takes
    ///   one request of each connection in turn, and refuses those beyond a connection's share.
    /// - Throws: `OrderStoreError`: `.keyReused` for another draft with a known key. Nothing was
    ///   stored, except after `.outcomeUnknown`.
    nonisolated(nonsending) func make(
        _ draft: OrderDraft, from source: ObjectIdentifier?
    ) async throws(OrderStoreError) -> Order

    /// Returns the order with this id; nil if there is none. Sees every order that was confirmed.
    ///
    /// - Parameters:
    ///   - source: as for `make`.
    ///   - waitedForPeer: as that of `OrderPageCaller`.
    /// - Throws: `OrderStoreError`.
    nonisolated(nonsending) func order(
        _ id: OrderID, from source: ObjectIdentifier?,
        waitedForPeer: @escaping @Sendable (Duration) -> Void
    ) async throws(OrderStoreError) -> Order?

    /// Returns up to `limit` (1 or more) orders from `token` on, oldest first. Orders are only
    /// appended to the list: who has read up to a position has read all that will ever be before it.
    /// No other page is read for the caller's connection until its call has ended.
    ///
    /// - Throws: `OrderStoreError`, `.memoryFull` and `.cancelled` among them.
    nonisolated(nonsending) func orders(
        from token: OrderPageToken, limit: Int, for call: some OrderPageCaller
    ) async throws(OrderStoreError) -> OrderPage

    /// Calls `listener` for each order that is stored from now on, in the order of the list, each
    /// once: when it is durable, before the caller of `make` on this store has it. A thread of the
    /// store waits until it returns. Before the first use of the store; replaces an earlier listener.
    ///
    /// - Returns: the position behind all orders that were stored before, and the newest of them
    ///   that is still in the store; nil: there is none.
    func onStored(
        _ listener: @escaping @Sendable (Order) -> Void
    ) -> (position: OrderPageToken, newest: OrderID?)

    /// Returns the position behind an order, which may have been removed by the retention since; nil
    /// if the store has never had it. The listener of `onStored` has been called for the order.
    ///
    /// - Throws: as `orders`.
    nonisolated(nonsending) func position(
        after id: OrderID, for call: some OrderPageCaller
    ) async throws(OrderStoreError) -> OrderPageToken?

    /// Counters since the store was opened.
    var statistics: OrderStoreStatistics { get }

    /// Runs `completion` where the store writes, between two steps of that, or at once if the store
    /// is closed: a watchdog detects in this way that it hangs. Does not wait.
    func probe(_ completion: @escaping @Sendable () -> Void)

    /// Refuses further requests, completes the waiting ones and ends the store. Call it once, after
    /// the last use of the store.
    func close() async
}

extension OrderStoring {
    /// Stores an order of an unknown connection.
    ///
    /// - Throws: `OrderStoreError`.
    public nonisolated(nonsending) func make(_ draft: OrderDraft) async throws(OrderStoreError)
        -> Order
    {
        try await make(draft, from: nil)
    }

    /// Finds an order for an unknown connection.
    ///
    /// - Throws: `OrderStoreError`.
    public nonisolated(nonsending) func order(_ id: OrderID) async throws(OrderStoreError) -> Order?
    {
        try await order(id, from: nil, waitedForPeer: { _ in })
    }

    /// Returns up to `limit` (1 or more) orders from `token` on, oldest first, which the caller
    /// keeps itself.
    ///
    /// - Throws: `OrderStoreError`.
    public nonisolated(nonsending) func orders(
        from token: OrderPageToken = .start, limit: Int
    ) async throws(OrderStoreError) -> OrderPage {
        try await orders(from: token, limit: limit, for: LocalPageCaller())
    }
}
