public import OrderProtos
public import OrderStoring

/// The logic of the order service: request in, response out. Uses the store and the rules, and no
/// network. A value; any thread. Suspends while the store works.
public struct OrderLogic: Sendable {
    let store: any OrderStoring
    private let rules: OrderRules

    /// Logic that keeps its orders in `store`.
    public init(store: any OrderStoring, rules: OrderRules = OrderRules()) {
        self.store = store
        self.rules = rules
    }

    /// Makes an order, which is on disk when this returns, or returns a refusal.
    ///
    /// - Parameters:
    ///   - idempotencyKey: requests with the same key make one order.
    ///   - source: the connection of the call; nil: unknown.
    public nonisolated(nonsending) func make(
        _ request: makeOrderRequest, idempotencyKey: String? = nil,
        from source: ObjectIdentifier? = nil
    ) async throws(OrderStoreError) -> makeOrderResponse {
        let draft = OrderDraft(
            price: request.price, goods: request.goods, idempotencyKey: idempotencyKey)
        var response = makeOrderResponse()
        if let refusal = rules.refusal(of: draft) {
            response.retCode = refusal.code
            response.resInfo = refusal.text
            return response
        }
        do {
            response.orderID = try await store.make(draft, from: source).id.description
            response.resInfo = "OK"
        } catch OrderStoreError.keyReused(let id) {
            let refusal = OrderRefusal.keyReused(id)
            response.retCode = refusal.code
            response.resInfo = refusal.text
        }
        return response
    }

    /// Finds an order by its id, or returns a refusal.
    ///
    /// - Parameters:
    ///   - source: the connection of the call; nil: unknown.
    ///   - waitedForPeer: as that of `OrderPageCaller`.
    public nonisolated(nonsending) func query(
        _ request: queryOrderRequest, from source: ObjectIdentifier? = nil,
        waitedForPeer: @escaping @Sendable (Duration) -> Void = { _ in }
    ) async throws(OrderStoreError) -> queryOrderResponse {
        var response = queryOrderResponse()
        guard let id = OrderID(request.orderID),
            let order = try await store.order(id, from: source, waitedForPeer: waitedForPeer)
        else {
            response.retCode = OrderRefusal.unknownOrder.code
            response.resInfo = OrderRefusal.unknownOrder.text
            return response
        }
        response.resInfo = "OK"
        response.order = OrderRecord(order)
        return response
    }

    /// Returns one page of the list, oldest first, or a refusal.
    ///
    /// - Parameter call: the call that the page is read for.
    public nonisolated(nonsending) func list(
        _ request: listOrdersRequest, for call: some OrderPageCaller
    ) async throws(OrderStoreError) -> listOrdersResponse {
        var response = listOrdersResponse()
        var start = OrderPageToken.start
        if !request.pageToken.isEmpty {
            guard let token = OrderPageToken(request.pageToken) else {
                response.retCode = OrderRefusal.badPageToken.code
                response.resInfo = OrderRefusal.badPageToken.text
                return response
            }
            start = token
        }
        let page = try await store.orders(
            from: start, limit: rules.pageSize(request.pageSize), for: call)
        response.resInfo = "OK"
        response.orders = page.orders.map(OrderRecord.init)
        response.nextPageToken = page.next?.description ?? ""
        return response
    }
}

extension OrderRecord {
    init(_ order: Order) {
        self.init()
        orderID = order.id.description
        price = order.price
        goods = order.goods
        createdUnixMs = order.createdMilliseconds
    }
}
