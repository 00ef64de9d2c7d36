import OrderProtos
import SwiftProtobuf
import Testing

@testable import OrderClientKit

struct OrderResponseTests {
    @Test("A refusal contains the reason once, and its code")
    func refusal() {
        let failure = #expect(throws: OrderAnswer.Failure.self) {
            try OrderAnswer(
                .with {
                    $0.retCode = -1
                    $0.resInfo = "short balance"
                }, to: makeOrderRequest())
        }
        #expect(failure?.description == "refused: short balance (ret_code -1)")
        let without = OrderAnswer.Failure.refused(code: -9, info: "")
        #expect(without.description == "refused: without a reason (ret_code -9)")
    }

    @Test("A reply without the id or the order that it must have is invalid, not an empty order")
    func incomplete() {
        #expect(throws: OrderAnswer.Failure.invalid("it has no order id")) {
            try OrderAnswer(makeOrderResponse(), to: makeOrderRequest())
        }
        #expect(throws: OrderAnswer.Failure.invalid("it has no order")) {
            try OrderAnswer(queryOrderResponse())
        }
    }

    @Test(
        "A list whose next page was listed before is invalid, and so is an empty page before others",
        arguments: [
            (["a"], "a"), (["a", "b"], "a"), (["a", "b", "c"], "b"), (["a", "b"], ""),
        ])
    func endless(tokens: [String], start: String) throws {
        var seen: Set = [start]
        func check(_ token: String, orders: Int) throws(OrderAnswer.Failure) {
            let page = listOrdersResponse.with {
                $0.nextPageToken = token
                $0.orders = Array(repeating: OrderRecord(), count: orders)
            }
            try OrderAnswer.check(page, seen: &seen)
        }
        for token in tokens where token != start { try check(token, orders: 1) }
        for token in tokens {
            #expect(throws: OrderAnswer.Failure.invalid("the next page was listed before")) {
                try check(token, orders: 1)
            }
        }
        #expect(throws: OrderAnswer.Failure.invalid("an empty page has a next page")) {
            try check("d", orders: 0)
        }
        try check("", orders: 0)
    }

    @Test(
        "Formats every time that a server can send",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "253402300800000 ms"),
            (-62_167_219_200_001, "-62167219200001 ms"),
            (Int64.min, "-9223372036854775808 ms"), (Int64.max, "9223372036854775807 ms"),
        ])
    func times(milliseconds: Int64, text: String) {
        #expect(OrderAnswer.timestamp(milliseconds) == text)
    }

    @Test("JSON contains no control or format character of the server, only their escapes")
    func hostileJSON() throws {
        let order = OrderRecord.with { $0.goods = "a\u{9B}31m\u{202E}b\u{2028}\u{1B}\u{E0001}ü" }
        let json = try OrderAnswer.found(order).json(roundTrip: .zero)
        #expect(json.contains(#""goods":"a\u009b31m\u202eb\u2028\u001b\udb40\udc01ü""#))
    }
}
