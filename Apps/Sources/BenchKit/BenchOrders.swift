import OrderProtos
import RocketRPC
import SwiftProtobuf

/// Makes the order of the benchmark: no database, the same reply for every request.
///
/// A class, as a service that holds something is as a rule: a struct would be copied for each call.
final class BenchOrder: Sendable {
    private let response: MakeOrderResponse

    /// - Parameter payloadBytes: how long the order's id is; nil: "20230514".
    init(payloadBytes: Int?) {
        let digits = "20230514"
        var id = digits
        if let payloadBytes {
            id = String(repeating: digits, count: payloadBytes / digits.count)
            id += digits.prefix(payloadBytes % digits.count)
        }
        response = .with {
            $0.resInfo = "OK"
            $0.orderID = id
        }
    }

    /// What the reference servers in C++ do: looks at the request, fills a response.
    func reply(to request: MakeOrderRequest) -> MakeOrderResponse {
        request.price > 0 ? response : MakeOrderResponse()
    }
}

/// A handler that is no async function, marked so.
struct SyncOrders: RPCService {
    static let serviceName = AsyncOrders.serviceName
    let order: BenchOrder

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(
            OrderMethods.makeOrder,
            synchronous: { [order] request, _ in order.reply(to: request) })
    }
}

/// The methods that no benchmark calls.
private let unused = RPCError(.methodNotFound, "the benchmark serves Order.makeOrder only")

/// Async handlers; `slow` sleeps for what costs 5.
struct AsyncOrders: OrderService {
    let order: BenchOrder
    /// How long a call of price 5 takes; nil: no longer than others.
    let slowCall: Duration?

    func makeOrder(
        _ request: MakeOrderRequest, _ call: RPCController
    ) async throws -> MakeOrderResponse {
        if let slowCall, request.price == 5 { try await Task.sleep(for: slowCall) }
        return await prepare(request)
    }

    func queryOrder(
        _ request: QueryOrderRequest, _ call: RPCController
    ) async throws -> QueryOrderResponse { throw unused }

    func listOrders(
        _ request: ListOrdersRequest, _ call: RPCController
    ) async throws -> ListOrdersResponse { throw unused }

    /// Awaited without a suspension.
    @inline(never)
    private func prepare(_ request: MakeOrderRequest) async -> MakeOrderResponse {
        order.reply(to: request)
    }
}

extension BenchHandler {
    /// The service that handles calls this way.
    func service(payloadBytes: Int?) -> any RPCService {
        let order = BenchOrder(payloadBytes: payloadBytes)
        return switch self {
        case .sync: SyncOrders(order: order)
        case .async: AsyncOrders(order: order, slowCall: nil)
        case .slow: AsyncOrders(order: order, slowCall: .milliseconds(5))
        }
    }
}
