import OrderProtos
import OrderStore
import OrderStoring
import RocketCodec
import RocketRPC
import RocketSimulation
import RocketSystem
import SimulatedOrderStore

/// What a client of `Scenario.orders` does, and what it learns. A value.
struct OrderCaller: Sendable {
    let host: Host
    let history: OrderHistory
    private let client: OrderClient

    init(host: Host, history: OrderHistory, channel: RPCChannel) {
        self.host = host
        self.history = history
        client = OrderClient(channel)
    }

    /// Makes orders, finds and lists them until a virtual time of the world.
    ///
    /// - Parameter name: unique in the world.
    func run(until end: Duration, _ name: String, _ generator: SeededGenerator) async throws {
        var random = generator
        var number = 0
        var ids: [String] = []
        while host.world.elapsed < end {
            let timeout = random.duration(in: .milliseconds(200)...(.seconds(3)))
            switch Int.random(in: 0..<10, using: &random) {
            case 0: try await list(timeout: timeout)
            case 1, 2:
                guard let id = ids.randomElement(using: &random) else { break }
                try await find(id, timeout: timeout)
            default:
                number += 1
                let draft = Self.draft("\(name), order \(number)", using: &random)
                if let id = try await make(draft, timeout: timeout) { ids.append(id) }
            }
            try await host.sleep(for: random.duration(in: .milliseconds(1)...(.milliseconds(500))))
        }
    }

    private static func draft(
        _ name: String, using random: inout SeededGenerator
    ) -> OrderDraft {
        let bytes = random.chance(0.1) ? Int.random(in: 0...900, using: &random) : 0
        return OrderDraft(
            price: Int32.random(in: 10...10_000, using: &random),
            goods: name + String(repeating: ".", count: bytes),
            idempotencyKey: random.chance(0.8) ? name : nil)
    }

    /// Makes an order. With a key it is repeated until it is acknowledged; without, it may be stored
    /// or not if the call fails.
    ///
    /// - Returns: its id; nil: the call has failed.
    @discardableResult
    func make(_ draft: OrderDraft, timeout: Duration) async throws -> String? {
        history.sent(draft)
        var request = MakeOrderRequest()
        request.price = draft.price
        request.goods = draft.goods
        var metadata = RPCMetadata.empty
        if let key = draft.idempotencyKey { metadata["idempotency-key"] = key }
        while true {
            let response = try? await client.makeOrder(
                request, timeout: timeout, metadata: metadata)
            if let response {
                if response.retCode != 0 {
                    host.world.violated(
                        .durability, "\(draft.goods) was refused: \(response.resInfo)")
                }
                history.answered(response.orderID, to: draft)
                return response.orderID
            }
            if draft.idempotencyKey == nil { return nil }
            try await host.sleep(for: .milliseconds(100))
        }
    }

    /// Finds an order that was acknowledged, unless the call fails.
    private func find(_ id: String, timeout: Duration) async throws {
        var request = QueryOrderRequest()
        request.orderID = id
        guard
            let response = try? await client.queryOrder(
                request, timeout: timeout, options: .idempotent)
        else { return }
        if response.retCode != 0 {
            return host.world.violated(
                .durability, "order \(id), which was acknowledged: \(response.resInfo)")
        }
        history.saw(SeenOrder(response.order))
    }

    /// Lists the first orders, unless the call fails.
    private func list(timeout: Duration) async throws {
        var request = ListOrdersRequest()
        request.pageSize = 20
        let response = try? await client.listOrders(
            request, timeout: timeout, options: .idempotent)
        for order in response?.orders ?? [] { history.saw(SeenOrder(order)) }
    }

    /// Lists all orders. Calls that fail are repeated.
    func listAll() async throws -> [SeenOrder] {
        var request = ListOrdersRequest()
        request.pageSize = 100
        var orders: [SeenOrder] = []
        while true {
            let response = try? await client.listOrders(
                request, timeout: .seconds(2), options: .idempotent)
            guard let response else {
                try await host.sleep(for: .milliseconds(100))
                continue
            }
            orders += response.orders.map { SeenOrder($0) }
            request.pageToken = response.nextPageToken
            if request.pageToken.isEmpty { return orders }
        }
    }
}

extension SeenOrder {
    /// An order of an answer.
    init(_ record: OrderRecord) {
        self.init(
            id: record.orderID, price: record.price, goods: record.goods,
            createdMilliseconds: record.createdUnixMs)
    }
}
