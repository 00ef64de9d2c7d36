import Foundation
import OrderProtos
import RocketProgram

extension OrderAnswer {
    /// For people: the facts in lines, the round-trip time last.
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
                created  \(Self.moment(order.createdUnixMs))
                \(time)
                """
        case .listed(let orders, let nextPageToken):
            var lines = orders.map { order in
                let price = String(order.price)
                let padding = String(repeating: " ", count: max(0, 11 - price.utf8.count))
                return "\(style.bold(TerminalText.safe(order.orderID)))  "
                    + "\(Self.moment(order.createdUnixMs))  \(padding)\(price)  "
                    + TerminalText.safe(order.goods)
            }
            if orders.isEmpty { lines.append("no orders") }
            if !nextPageToken.isEmpty {
                lines.append(style.dim("more: --page-token \(TerminalText.safe(nextPageToken))"))
            }
            return (lines + [time]).joined(separator: "\n")
        }
    }

    /// `2026-11-21T05:37:19.123Z`
    static func moment(_ milliseconds: Int64) -> String {
        // A Double can't hold every millisecond, and the formatter cuts instead of rounding: the
        // fraction is written here.
        let fraction = ((milliseconds % 1000) + 1000) % 1000
        let seconds = Double((milliseconds - fraction) / 1000)
        let text = Date(timeIntervalSince1970: seconds).formatted(
            Date.ISO8601FormatStyle(timeZone: .gmt))
        return text.dropLast() + ".\(String(1000 + fraction).dropFirst())Z"
    }

    /// With three decimals, as people compare them.
    static func milliseconds(_ duration: Duration) -> String {
        let microseconds = max(0, Int64((duration / .microseconds(1)).rounded()))
        let decimals = String(1000 + microseconds % 1000).dropFirst()
        return "\(microseconds / 1000).\(decimals)"
    }
}
