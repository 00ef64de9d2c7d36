public import OrderProtos
import OrderStoring
import RocketBase
import RocketCodec
public import RocketRPC

/// The RPC handler of the service `Order`: reads the metadata of the call, delegates to
/// `OrderLogic`, and maps errors of the store to RPC errors.
///
/// Handlers begin on a reactor and suspend while the store works; they never block it.
public struct OrderHandler: OrderService {
    private let logic: OrderLogic
    let watches: OrderWatches
    private let results: OrderResults

    /// A handler for this logic, the only one of its store.
    public init(logic: OrderLogic) { self.init(logic: logic, maxWatches: OrderWatches.maxWatches) }

    init(logic: OrderLogic, maxWatches: Int, results: OrderResults = OrderResults()) {
        self.logic = logic
        self.results = results
        watches = OrderWatches(store: logic.store, maxWatches: maxWatches)
    }

    /// Makes one order. The metadata `idempotency-key` makes a retry safe.
    public nonisolated(nonsending) func makeOrder(
        _ request: MakeOrderRequest, _ call: RPCController
    ) async throws -> MakeOrderResponse {
        do {
            let key = call.requestMetadata["idempotency-key"]
            let response = try await logic.make(
                request, idempotencyKey: key, from: call.connection)
            results.count(.makeOrder, response.retCode)
            return response
        } catch { throw RPCError(error) }
    }

    /// Finds one order.
    public nonisolated(nonsending) func queryOrder(
        _ request: QueryOrderRequest, _ call: RPCController
    ) async throws -> QueryOrderResponse {
        do {
            let response = try await logic.query(
                request, from: call.connection, waitedForPeer: { call.waitedForPeer($0) })
            results.count(.queryOrder, response.retCode)
            return response
        } catch { throw RPCError(error) }
    }

    /// Lists one page of orders.
    public nonisolated(nonsending) func listOrders(
        _ request: ListOrdersRequest, _ call: RPCController
    ) async throws -> ListOrdersResponse {
        do {
            let response = try await logic.list(request, for: PageCall(call))
            results.count(.listOrders, response.retCode)
            return response
        } catch { throw RPCError(error) }
    }

    /// Sends orders from a position on, without an end.
    public nonisolated(nonsending) func watchOrders(
        _ request: WatchOrdersRequest, _ responses: RPCWriter<OrderEvent>, _ call: RPCController
    ) async throws {
        do {
            try await watches.watch(after: request.afterOrderID, responses, call)
        } catch let error as OrderStoreError { throw RPCError(error) }
    }

    /// Ends all watches, so that the drain does not wait for them and their clients go elsewhere.
    public func serverDrains() { watches.drain() }
}

/// The call of a handler, as the store sees it.
private struct PageCall: OrderPageCaller {
    private let call: RPCController
    let source: ObjectIdentifier?

    init(_ call: RPCController) {
        self.call = call
        source = call.connection
    }

    var isCancelled: Bool { call.isFinished }

    func onEnd(_ body: @escaping @Sendable () -> Void) { call.onEnd { _ in body() } }

    /// On the page of the server the wait is none of the handler's time.
    func waitedForPeer(_ duration: Duration) { call.waitedForPeer(duration) }
}

extension RPCError {
    /// Maps an error of the store.
    init(_ error: OrderStoreError) {
        let code: RPCErrorCode =
            switch error {
            case .tooManyWaiting, .memoryFull, .diskFull: .resourceExhausted
            case .closed, .filesLost, .unavailable: .unavailable
            case .cancelled: .cancelled
            case .cannotOpen, .missing, .notPermitted, .damaged, .inUse, .cannotCreate,
                .newerSchema, .keyReused, .outcomeUnknown, .failed, .readFailed:
                .internal
            }
        self.init(code, error.description, cause: error)
    }
}
