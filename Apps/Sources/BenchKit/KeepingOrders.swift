import OrderProtos
import RocketCodec
import RocketRPC
import RocketSystem

/// Handlers that keep all that can be kept of their calls, for good: controllers, closures that
/// capture them, and tasks. The storage behind controllers is used for one call after another, so
/// nothing that is kept may show anything of a later call. Run in a release build, where the
/// optimiser decides what lives how long.
final class KeepingOrders: Sendable {
    private struct Kept {
        var controllers: [RPCController] = []
        var closures: [@Sendable () -> String] = []
        var tasks: [Task<String, Never>] = []
        /// Calls that were not the current call while their handlers ran.
        var unbound = 0
    }

    private let kept = Locked(Kept())
    private let released = AsyncEvent()

    /// Makes that many calls at once, and as many with synchronous handlers.
    ///
    /// - Returns: how many kept references show anything of a call after its end; 0 as it should be.
    static func leaks(times: Int) async throws -> Int {
        var sum = 0
        for isSynchronous in [true, false] {
            let orders = KeepingOrders()
            let dispatcher = try RPCDispatcher(
                services: [Service(orders: orders, isSynchronous: isSynchronous)])
            let channel = try RPCChannel(inProcess: dispatcher)
            for round in 0..<4 {
                let calls = (0..<times).map { number in
                    channel.start(
                        OrderMethods.makeOrder, MakeOrderRequest(),
                        metadata: ["x-secret": "\(round)-\(number)"])
                }
                for call in calls { _ = try await call.value }
            }
            orders.released.fire()
            sum += await orders.count()
            channel.close()
        }
        return sum
    }

    private func count() async -> Int {
        let kept = kept.withLock { $0 }
        var leaks = kept.unbound
        for call in kept.controllers where !call.isFinished || !Self.text(call).isEmpty {
            leaks += 1
        }
        for closure in kept.closures where !closure().isEmpty { leaks += 1 }
        for task in kept.tasks where await !task.value.isEmpty { leaks += 1 }
        return leaks
    }

    private static func text(_ call: RPCController) -> String {
        call.messageID + call.method + (call.requestMetadata["x-secret"] ?? "")
    }

    private func keep(_ call: RPCController) -> MakeOrderResponse {
        let id = call.messageID
        let isSelf = !id.isEmpty && RPCController.current?.messageID == id
        let task = Task { [released] in
            await released.wait()
            return Self.text(call) + (RPCController.current.map(Self.text) ?? "")
        }
        kept.withLock { kept in
            kept.controllers.append(call)
            kept.closures.append { Self.text(call) }
            kept.tasks.append(task)
            if !isSelf { kept.unbound += 1 }
        }
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
                try registry.add(OrderMethods.makeOrder) { [orders] _, call in
                    let response = orders.keep(call)
                    if call.messageID.hasSuffix("7") { await Task.yield() }
                    return response
                }
            }
        }
    }
}
