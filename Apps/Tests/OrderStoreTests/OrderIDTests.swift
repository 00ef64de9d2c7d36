import Testing

@testable import OrderStore

struct OrderIDTests {
    @Test(
        "An id is the UTC day and the place in the store",
        arguments: [
            (0, "19700101"), (1_795_219_200_000, "20261121"), (1_709_164_800_000, "20240229"),
            (1_709_251_199_999, "20240229"), (1_709_251_200_000, "20240301"), (-1000, "19691231"),
            (951_782_400_000, "20000229"), (Int64.max, "99991231"), (Int64.min, "10000101"),
        ])
    func days(milliseconds: Int64, day: String) {
        let id = OrderID(sequence: 42, createdMilliseconds: milliseconds)
        #expect(id.description == day + "0000000042")
        #expect(OrderID(id.description) == id)
    }

    @Test("A place beyond ten digits makes the id longer, and it still reads back")
    func longPlaces() {
        for sequence in [9_999_999_999, 10_000_000_000, Int64.max] {
            let id = OrderID(sequence: sequence, createdMilliseconds: 0)
            #expect(OrderID(id.description) == id)
        }
    }

    @Test(
        "Text that is no id is refused",
        arguments: [
            "", "1", "20230514", "2026112100000000", "202611210000000000", "20261121+000000042",
            "2026112100000000042", "20261121000000004x", "２０２６１１２１００００００００４２",
            "2026112199999999999999999999",
        ])
    func refused(text: String) { #expect(OrderID(text) == nil) }

    @Test("A page token reads back, anything else is refused")
    func tokens() {
        let token = OrderPageToken(after: 12345)
        #expect(OrderPageToken(token.description) == token)
        for text in ["", "p1-", "p1-0", "p1--5", "p1-+5", "p1-05", "p2-5", "p1-Z", "12345"] {
            #expect(OrderPageToken(text) == nil, "\(text)")
        }
    }
}
