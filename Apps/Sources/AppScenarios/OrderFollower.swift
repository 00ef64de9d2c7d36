import OrderProtos
import RocketRPC
import RocketSimulation
import RocketSystem
import SimulatedOrderStore

/// A client of `Scenario.orders` that watches the orders from the first one on, in one watch after
/// another, each behind the last order that it has: over kills of the server and its own. Any thread.
final class OrderFollower: Sendable {
    private struct State {
        var orders: [SeenOrder] = []
        /// The start of the host whose task watches.
        var start: UInt64 = 0
    }

    private let history: OrderHistory
    private let state = Locked(State())

    init(history: OrderHistory) { self.history = history }

    /// How many orders it has received.
    var count: Int { state.withLock { $0.orders.count } }

    /// Watches until the task is cancelled.
    func run(on host: Host, _ channel: RPCChannel, _ generator: SeededGenerator) async throws {
        var random = generator
        let (client, start) = (OrderClient(channel), host.starts)
        state.withLock { $0.start = start }
        while true {
            do {
                try await watch(
                    client, host, start, random.duration(in: .seconds(1)...(.seconds(5))))
            } catch {
                // Its next watch goes on where this one has ended.
            }
            try await host.sleep(for: random.duration(in: .milliseconds(1)...(.milliseconds(500))))
        }
    }

    private func watch(
        _ client: OrderClient, _ host: Host, _ start: UInt64, _ timeout: Duration
    ) async throws {
        var request = WatchOrdersRequest()
        request.afterOrderID = state.withLock { $0.orders.last?.id } ?? "0"
        let events = try await client.watchOrders(request, timeout: timeout)
        for try await event in events {
            if case .watchingAfter = event.event { continue }
            // After a notice of dropped orders the next watch has them.
            guard case .order(let record) = event.event else { return }
            let order = SeenOrder(record)
            let isMine = state.withLock { state in
                if state.start == start { state.orders.append(order) }
                return state.start == start
            }
            if isMine { history.saw(order) }
        }
    }

    /// Compares what it has received with the orders that all callers know.
    ///
    /// - Returns: what is wrong; nil: each of them once, in their order.
    func problem() -> String? {
        let ids = state.withLock { $0.orders.map(\.id) }
        let numbers = ids.map { Int($0.dropFirst(8)) ?? 0 }
        for (number, next) in zip(numbers, numbers.dropFirst()) where next <= number {
            return "order \(next) was sent behind order \(number)"
        }
        let known = Set(history.seenOrders.map(\.id))
        for id in known.subtracting(ids).sorted() { return "order \(id) was not sent" }
        for id in Set(ids).subtracting(known).sorted() { return "nobody knows order \(id)" }
        return nil
    }
}
