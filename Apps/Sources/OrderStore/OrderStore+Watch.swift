public import OrderStoring

/// Following the orders of a store: those that it has, then those that are stored.
extension OrderStore {
    /// Calls `listener` for each order that is stored from now on: when it is on disk, before the
    /// caller of `make` has it; in the order of the ids, each order once. The writer's thread waits
    /// until it returns. Before the first use of the store; replaces an earlier listener.
    ///
    /// - Returns: the position behind all orders that were stored before, and the newest of them
    ///   that is still in the store; nil: there is none.
    public func onStored(
        _ listener: @escaping @Sendable (Order) -> Void
    ) -> (position: OrderPageToken, newest: OrderID?) {
        stored.listen(listener)
    }

    /// Returns the position behind an order, which may have been removed by the retention since; nil
    /// if the store has never had it.
    ///
    /// - Throws: as `orders`.
    public nonisolated(nonsending) func position(
        after id: OrderID, for call: some OrderPageCaller
    ) async throws(OrderStoreError) -> OrderPageToken? {
        try await requests.position(after: id, among: stored, for: call)
    }
}
