public import ArgumentParser
import OrderProtos
import RocketBase
import RocketRPC
import SwiftProtobuf

/// The reply of the benchmark's server: the same for every request, without a database.
///
/// A class, like most services with stored properties: a struct would be copied for each call.
final class BenchOrder: Sendable {
    private let response: MakeOrderResponse

    /// - Parameter payloadBytes: the length of the order's id; nil: "20230514".
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

    /// Does the same as the reference servers in C++: reads the request, fills a response.
    func reply(to request: MakeOrderRequest) -> MakeOrderResponse {
        request.price > 0 ? response : MakeOrderResponse()
    }
}

/// Synchronous handlers, registered as such.
struct SyncOrders: RPCService {
    static let serviceName = AsyncOrders.serviceName
    let order: BenchOrder

    func register(in registry: inout RPCServiceRegistry) throws {
        try registry.add(
            OrderMethods.makeOrder,
            synchronous: { [order] request, _ in order.reply(to: request) })
    }
}

/// For the methods that no benchmark uses.
private let unused = RPCError(.methodNotFound, "the benchmark serves Order.makeOrder only")

/// Async handlers. Calls with price 5 sleep for `slowCall`.
struct AsyncOrders: OrderService {
    let order: BenchOrder
    /// Whether each call suspends, until the loop resumes it.
    var suspends = false
    /// The duration of calls with price 5; nil: like others.
    let slowCall: Duration?

    func makeOrder(
        _ request: MakeOrderRequest, _ call: RPCController
    ) async throws -> MakeOrderResponse {
        if let slowCall, request.price == 5 { try await Task.sleep(for: slowCall) }
        if suspends { await Task.yield() }
        return await prepare(request)
    }

    func queryOrder(
        _ request: QueryOrderRequest, _ call: RPCController
    ) async throws -> QueryOrderResponse { throw unused }

    func listOrders(
        _ request: ListOrdersRequest, _ call: RPCController
    ) async throws -> ListOrdersResponse { throw unused }

    func watchOrders(
        _ request: WatchOrdersRequest, _ responses: RPCWriter<OrderEvent>, _ call: RPCController
    ) async throws { throw unused }

    /// Never suspends.
    @inline(never)
    private func prepare(_ request: MakeOrderRequest) async -> MakeOrderResponse {
        order.reply(to: request)
    }
}

/// The kinds of handlers of the benchmark's server.
public enum BenchHandler: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// A synchronous function.
    case sync
    /// An async function that awaits another one and never suspends.
    case async
    /// Like `async`, but each call suspends once: it is resumed by the loop's next tick.
    case suspend
    /// Like `async`, but a call with price 5 sleeps for 5 ms.
    case slow
}

extension BenchHandler {
    /// Returns a service with handlers of this kind.
    func service(payloadBytes: Int?) -> any RPCService {
        let order = BenchOrder(payloadBytes: payloadBytes)
        return switch self {
        case .sync: SyncOrders(order: order)
        case .async: AsyncOrders(order: order, slowCall: nil)
        case .suspend: AsyncOrders(order: order, suspends: true, slowCall: nil)
        case .slow: AsyncOrders(order: order, slowCall: .milliseconds(5))
        }
    }
}
