import Foundation
import OrderProtos

extension OrderAnswer {
    /// For programs: one JSON object on one line, keys sorted.
    func json(roundTrip: Duration) throws -> String {
        let time = Double(Self.milliseconds(roundTrip)) ?? 0
        switch self {
        case .made(let id, let request):
            return try Self.encode(
                OneOrder(
                    order: JSONOrder(
                        order_id: id, price: request.price, goods: request.goods, created: nil),
                    round_trip_ms: time))
        case .found(let order):
            return try Self.encode(OneOrder(order: JSONOrder(order), round_trip_ms: time))
        case .listed(let orders, let nextPageToken):
            return try Self.encode(
                ManyOrders(
                    orders: orders.map(JSONOrder.init), next_page_token: nextPageToken,
                    round_trip_ms: time))
        }
    }

    private static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

private struct JSONOrder: Encodable {
    let order_id: String
    let price: Int32
    let goods: String
    /// Not known from the answer to make.
    let created: String?

    init(order_id: String, price: Int32, goods: String, created: String?) {
        self.order_id = order_id
        self.price = price
        self.goods = goods
        self.created = created
    }

    init(_ order: OrderRecord) {
        self.init(
            order_id: order.orderID, price: order.price, goods: order.goods,
            created: OrderAnswer.moment(order.createdUnixMs))
    }
}

/// The order's fields and the time side by side in one object.
private struct OneOrder: Encodable {
    let order: JSONOrder
    let round_trip_ms: Double

    private enum Key: String, CodingKey { case round_trip_ms }

    func encode(to encoder: any Encoder) throws {
        try order.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(round_trip_ms, forKey: .round_trip_ms)
    }
}

private struct ManyOrders: Encodable {
    let orders: [JSONOrder]
    let next_page_token: String
    let round_trip_ms: Double
}
