public import OrderProtos
import OrderStore
public import RocketRPC

/// The service `Order` as RocketRPC serves it: takes what belongs to the call from its
/// controller, leaves the rest to the desk, and gives the store's troubles a code on the wire.
///
/// Handlers begin on a reactor and suspend while the store works; they never block it.
public struct OrderHandler: OrderService {
    private let desk: OrderLogic

    /// Serves what `desk` answers.
    public init(desk: OrderLogic) { self.desk = desk }

    /// Makes one order; the metadata `idempotency-key` makes a retry safe.
    public nonisolated(nonsending) func makeOrder(
        _ request: MakeOrderRequest, _ call: RPCController
    ) async throws -> MakeOrderResponse {
        do {
            let key = call.requestMetadata["idempotency-key"]
            return try await desk.make(request, idempotencyKey: key)
        } catch { throw RPCError(error) }
    }

    /// Finds one order.
    public nonisolated(nonsending) func queryOrder(
        _ request: QueryOrderRequest, _ call: RPCController
    ) async throws -> QueryOrderResponse {
        do { return try await desk.query(request) } catch { throw RPCError(error) }
    }

    /// Lists one page of orders.
    public nonisolated(nonsending) func listOrders(
        _ request: ListOrdersRequest, _ call: RPCController
    ) async throws -> ListOrdersResponse {
        do { return try await desk.list(request) } catch { throw RPCError(error) }
    }
}

extension RPCError {
    /// What the store's trouble means to a caller.
    init(_ error: OrderStoreError) {
        let code: RPCErrorCode =
            switch error {
            case .tooManyWaiting, .diskFull: .resourceExhausted
            case .closed: .unavailable
            case .cannotOpen, .newerSchema, .keyReused, .failed: .internal
            }
        self.init(code, error.description, cause: error)
    }
}
