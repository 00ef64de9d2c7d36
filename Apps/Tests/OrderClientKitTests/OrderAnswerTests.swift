import OrderProtos
import RocketProgram
import SwiftProtobuf
import Testing

@testable import OrderClientKit

struct OrderAnswerTests {
    private let plain = TerminalText(isColoured: false)
    private let order = OrderRecord.with {
        $0.orderID = "202611210000000042"
        $0.price = 100
        $0.goods = "apple"
        $0.createdUnixMs = 1_795_239_439_123
    }
    private var made: OrderAnswer {
        .made(
            id: order.orderID,
            request: .with {
                $0.price = 100
                $0.goods = "apple"
            })
    }

    @Test("The text of a made order has id, goods, price and round-trip time")
    func madeText() {
        #expect(
            made.text(roundTrip: .microseconds(412), style: plain) == """
                made order 202611210000000042: apple for 100
                round trip 0.412 ms
                """)
    }

    @Test("The text of a found order has all its fields")
    func foundText() {
        #expect(
            OrderAnswer.found(order).text(roundTrip: .milliseconds(12), style: plain) == """
                order    202611210000000042
                goods    apple
                price    100
                created  2026-11-21T05:37:19.123Z
                round trip 12.000 ms
                """)
    }

    @Test("The text of a list has one line per order and the next page token")
    func listText() {
        let text = OrderAnswer.listed([order, order], nextPageToken: "p1-2")
            .text(roundTrip: .seconds(1), style: plain)
        let line = "202611210000000042  2026-11-21T05:37:19.123Z          100  apple"
        #expect(text == "\(line)\n\(line)\nmore: --page-token p1-2\nround trip 1000.000 ms")
    }

    @Test("The text of an empty list is: no orders")
    func emptyList() {
        let text = OrderAnswer.listed([], nextPageToken: "").text(roundTrip: .zero, style: plain)
        #expect(text == "no orders\nround trip 0.000 ms")
    }

    @Test("Escapes control characters of the server")
    func hostileText() {
        let hostile = OrderRecord.with { $0.goods = "a\u{1B}[2J\nb" }
        let text = OrderAnswer.found(hostile).text(roundTrip: .zero, style: plain)
        #expect(text.contains("goods    a\\u{1B}[2J\\nb\n"))
    }

    @Test("JSON is one object on one line")
    func json() throws {
        let time = Duration.microseconds(412)
        #expect(
            try made.json(roundTrip: time)
                == #"{"goods":"apple","order_id":"202611210000000042","price":100,"#
                + #""round_trip_ms":0.412}"#)
        let found = try OrderAnswer.found(order).json(roundTrip: time)
        #expect(
            found == #"{"created":"2026-11-21T05:37:19.123Z","goods":"apple","#
                + #""order_id":"202611210000000042","price":100,"round_trip_ms":0.412}"#)
        #expect(
            try OrderAnswer.listed([], nextPageToken: "p1-2").json(roundTrip: time)
                == #"{"next_page_token":"p1-2","orders":[],"round_trip_ms":0.412}"#)
    }
}
