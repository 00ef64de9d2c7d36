import FoundationEssentials
import OrderProtos
import RocketProgram

/// The result of a call, ready to be printed.
enum OrderAnswer {
    case made(id: String, request: makeOrderRequest)
    case found(OrderRecord)
    case listed([OrderRecord], nextPageToken: String)
}

// MARK: - Text

extension OrderAnswer {
    /// Returns lines of text for a terminal, the round-trip time last.
    func text(roundTrip: Duration, style: TerminalText) -> String {
        let time = style.dim("round trip \(Self.milliseconds(roundTrip)) ms")
        switch self {
        case .made(let id, let request):
            let goods = TerminalText.safe(request.goods)
            let made = style.green("made") + " order \(style.bold(TerminalText.safe(id)))"
            return "\(made): \(goods) for \(request.price)\n\(time)"
        case .found(let order):
            return """
                order    \(style.bold(TerminalText.safe(order.orderID)))
                goods    \(TerminalText.safe(order.goods))
                price    \(order.price)
                created  \(Self.timestamp(order.createdUnixMs))
                \(time)
                """
        case .listed(let orders, let nextPageToken):
            var lines = orders.map { Self.line($0, style: style) }
            if orders.isEmpty { lines.append("no orders") }
            if !nextPageToken.isEmpty {
                lines.append(style.dim("more: --page-token \(TerminalText.safe(nextPageToken))"))
            }
            return (lines + [time]).joined(separator: "\n")
        }
    }

    /// Returns an order of a list as one line.
    static func line(_ order: OrderRecord, style: TerminalText) -> String {
        let price = String(order.price)
        let padding = String(repeating: " ", count: max(0, 11 - price.utf8.count))
        return "\(style.bold(TerminalText.safe(order.orderID)))  "
            + "\(timestamp(order.createdUnixMs))  \(padding)\(price)  "
            + TerminalText.safe(order.goods)
    }

    /// Formats a Unix time: `2026-11-21T05:37:19.123Z`. A time outside of the years 0 to 9999, which
    /// only a faulty server sends, stays a number: `253402300800000 ms`.
    static func timestamp(_ milliseconds: Int64) -> String {
        guard (-62_167_219_200_000...253_402_300_799_999).contains(milliseconds) else {
            return "\(milliseconds) ms"
        }
        // A Double can't represent every millisecond and the formatter truncates, so the fraction
        // is formatted separately.
        let fraction = ((milliseconds % 1000) + 1000) % 1000
        let seconds = Double((milliseconds - fraction) / 1000)
        let text = Date(timeIntervalSince1970: seconds).formatted(
            Date.ISO8601FormatStyle(timeZone: .gmt))
        return text.dropLast() + ".\(String(1000 + fraction).dropFirst())Z"
    }

    /// Formats milliseconds with three decimals.
    static func milliseconds(_ duration: Duration) -> String {
        let microseconds = max(0, Int64((duration / .microseconds(1)).rounded()))
        let decimals = String(1000 + microseconds % 1000).dropFirst()
        return "\(microseconds / 1000).\(decimals)"
    }
}

// MARK: - JSON

extension OrderAnswer {
    /// Returns one JSON object on one line for programs, keys sorted.
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

    /// Returns an order of a list as one JSON object on one line.
    static func json(_ order: OrderRecord) throws -> String { try encode(JSONOrder(order)) }

    /// Control and format characters of a server are escaped (`\u202e`), as JSON allows it: the
    /// line may be shown on a terminal.
    private static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return TerminalText.safeJSON(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

private struct JSONOrder: Encodable {
    let order_id: String
    let price: Int32
    let goods: String
    /// Nil for a made order: the reply does not contain it.
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
            created: OrderAnswer.timestamp(order.createdUnixMs))
    }
}

/// The fields of an order and the time in one object.
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
