import OrderProtos
import OrderStoring
import RocketBase
import RocketRPC
import RocketSystem

/// The calls of watchOrders: sends each of them the orders of the store behind a position, then those
/// that are stored, with no hole and nothing twice between the two. Any thread.
///
/// What is read from the store is only sent up to the newest order that was broadcast, and a watch
/// joins the broadcast in the same moment in which it learns which order that is: it reads the store
/// up to that one, and has all later ones from the broadcast.
final class OrderWatches: Sendable {
    /// The most watches. Each that does not read costs 64 KiB of messages, and one page.
    static let maxWatches = 1024
    /// The most orders that wait for one watch; then the oldest are dropped. All watches share them.
    static let maxWaiting = 1024
    /// Orders that are read from the store at once: pages of watches that don't read are not counted
    /// into the store's limit on pages, and together take less than half of that.
    static let pageSize = 16

    /// One watch, which the store sees as a connection: the pages that calls on the same connection
    /// list don't wait for it.
    private final class Watch: OrderPageCaller {
        let responses: RPCWriter<OrderEvent>
        let call: RPCController

        init(_ responses: RPCWriter<OrderEvent>, _ call: RPCController) {
            self.responses = responses
            self.call = call
        }

        var source: ObjectIdentifier? { ObjectIdentifier(self) }
        var isCancelled: Bool { call.isFinished }

        /// The next page is read when the orders of this one are written.
        func onEnd(_ body: @escaping @Sendable () -> Void) { body() }
    }

    private struct State {
        /// The position behind the newest order that was broadcast.
        var newest = OrderPageToken.start
        var id: OrderID?
        var watches = OrderedObjects<Watch>()
        var isDraining = false
    }

    private let store: any OrderStoring
    private let maxWatches: Int
    private let broadcast: RPCBroadcast<OrderEvent>
    private let state = Locked(State())

    private static let draining = RPCError(.unavailable, "the server is draining")

    /// Follows the orders of a store, which has no other listener.
    init(store: any OrderStoring, maxWatches: Int) {
        self.store = store
        self.maxWatches = maxWatches
        broadcast = RPCBroadcast(
            for: OrderMethods.watchOrders,
            slowReaders: .dropOldest(keeping: Self.maxWaiting) { OrderEvent(.dropped(Int64($0))) })
        let (position, newest) = store.onStored { [weak self] in self?.send($0) }
        state.withLock { state in
            state.newest = position
            state.id = newest
        }
    }

    /// How many watches there are.
    var count: Int { state.withLock { $0.watches.count } }

    /// How many watches have all orders of the store, and wait for further ones.
    var waitingCount: Int { broadcast.streamCount }

    /// On the writer's thread of the store.
    private func send(_ order: Order) {
        state.withLock { state in
            state.newest = OrderPageToken(after: order.id)
            state.id = order.id
            if broadcast.streamCount == 0 { return }
            // A message without required fields can be serialized.
            try? broadcast.send(OrderEvent(.order(OrderRecord(order))))
        }
    }

    /// Sends the orders behind `after`, until the call ends or the server drains.
    ///
    /// - Parameter after: as after_order_id of the request.
    /// - Throws: `RPCError` or `OrderStoreError`.
    func watch(
        after: String, _ responses: RPCWriter<OrderEvent>, _ call: RPCController
    ) async throws {
        let watch = Watch(responses, call)
        try add(watch)
        defer { state.withLock { $0.watches.remove(watch) } }
        if after.isEmpty {
            let (subscription, _, id) = try subscribe(watch)
            try await responses.write(OrderEvent(.watchingAfter(id?.description ?? "0")))
            return try await subscription.send()
        }
        var position = try await start(of: watch, after: after)
        // Says that the watch has begun: its channel does not send it again from then on.
        try await responses.write(OrderEvent(.watchingAfter(after)))
        try await sendStored(from: &position, to: watch) {
            state.withLock { $0.newest }
        }
        let (subscription, newest, _) = try subscribe(watch)
        try await sendStored(from: &position, to: watch) { newest }
        try await subscription.send()
    }

    private func add(_ watch: Watch) throws(RPCError) {
        let refusal = state.withLock { state -> RPCError? in
            if state.isDraining { return Self.draining }
            if state.watches.count >= maxWatches {
                return RPCError(.resourceExhausted, "\(maxWatches) calls watch orders already")
            }
            state.watches.insert(watch)
            return nil
        }
        if let refusal { throw refusal }
    }

    /// Joins the broadcast.
    ///
    /// - Returns: the position behind the newest order that is not in the subscription, and that order.
    private func subscribe(
        _ watch: Watch
    ) throws(RPCError) -> (RPCBroadcast<OrderEvent>.Subscription, OrderPageToken, OrderID?) {
        try state.withLock { state throws(RPCError) in
            (try broadcast.subscribe(watch.responses), state.newest, state.id)
        }
    }

    private func start(of watch: Watch, after: String) async throws -> OrderPageToken {
        if after == "0" { return .start }
        let position: OrderPageToken? =
            if let id = OrderID(after) { try await store.position(after: id, for: watch) } else {
                nil
            }
        if let position { return position }
        throw RPCError(.notFound, OrderRefusal.unknownOrder.text)
    }

    /// Sends the orders of the store up to `end`, page by page.
    ///
    /// - Parameter end: the position behind the last one, which may rise.
    private func sendStored(
        from position: inout OrderPageToken, to watch: Watch, upTo end: () -> OrderPageToken
    ) async throws {
        while position < end() {
            let page = try await store.orders(from: position, limit: Self.pageSize, for: watch)
            let newest = end()
            for order in page.orders {
                let next = OrderPageToken(after: order.id)
                if next > newest { return }
                try await watch.responses.write(OrderEvent(.order(OrderRecord(order))))
                position = next
            }
            // What is missing was removed.
            if page.next == nil { return }
        }
    }

    /// Ends all watches with UNAVAILABLE, and each later one.
    func drain() {
        let watches = state.withLock { state in
            state.isDraining = true
            return state.watches.inOrder
        }
        broadcast.finish(throwing: Self.draining)
        for watch in watches { watch.responses.fail(Self.draining) }
    }
}

extension OrderEvent {
    fileprivate init(_ event: OneOf_Event) {
        self.init()
        self.event = event
    }
}
