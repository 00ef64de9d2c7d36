import OrderProtos
import RocketRPC
import RocketSystem

/// Handlers that keep the controllers of their calls for ever.
///
/// The framework counts references to decide whether it may reuse a controller, and the optimiser
/// decides how they are counted: so this runs in a release build, too.
final class KeepingOrders: Sendable {
    private let kept = Locked<[RPCController]>([])

    /// Makes `times` calls at once with async handlers, and as many with synchronous ones.
    ///
    /// - Returns: the number of calls whose controllers have different ids.
    static func ownControllers(times: Int) async throws -> Int {
        var sum = 0
        for isSynchronous in [true, false] {
            let orders = KeepingOrders()
            let dispatcher = try RPCDispatcher(
                services: [Service(orders: orders, isSynchronous: isSynchronous)])
            let channel = try RPCChannel(inProcess: dispatcher)
            let calls = (0..<times).map { _ in
                channel.start(OrderMethods.makeOrder, MakeOrderRequest())
            }
            for call in calls { _ = try await call.value }
            channel.close()
            sum += orders.kept.withLock { Set($0.map(\.messageID)).count }
        }
        return sum
    }

    private func keep(_ call: RPCController) -> MakeOrderResponse {
        kept.withLock { $0.append(call) }
        return MakeOrderResponse()
    }

    private struct Service: RPCService {
        static let serviceName = AsyncOrders.serviceName
        let orders: KeepingOrders
        let isSynchronous: Bool

        func register(in registry: inout RPCServiceRegistry) throws {
            if isSynchronous {
                try registry.add(
                    OrderMethods.makeOrder,
                    synchronous: { [orders] _, call in orders.keep(call) })
            } else {
                try registry.add(OrderMethods.makeOrder) { [orders] _, call in orders.keep(call) }
            }
        }
    }
}
