import OrderStoring
import Testing

struct OrderIDTests {
    @Test(
        "An id consists of the UTC day and the sequence number",
        arguments: [
            (0, "19700101"), (1_795_219_200_000, "20261121"), (1_709_164_800_000, "20240229"),
            (1_709_251_199_999, "20240229"), (1_709_251_200_000, "20240301"), (-1000, "19691231"),
            (-1, "19691231"), (-86_400_000, "19691231"), (-86_400_001, "19691230"),
            (951_782_400_000, "20000229"), (Int64.max, "99991231"), (Int64.min, "10000101"),
        ])
    func days(milliseconds: Int64, day: String) {
        let id = OrderID(sequence: 42, createdMilliseconds: milliseconds)
        #expect(id.description == day + "0000000042")
        #expect(OrderID(id.description) == id)
    }

    @Test("A sequence number of more than ten digits makes a longer id that can be parsed")
    func longSequences() {
        for sequence in [9_999_999_999, 10_000_000_000, Int64.max] {
            let id = OrderID(sequence: sequence, createdMilliseconds: 0)
            #expect(OrderID(id.description) == id)
        }
    }

    @Test(
        "Refuses text that is not an id",
        arguments: [
            "", "1", "20230514", "2026112100000000", "202611210000000000", "20261121+000000042",
            "2026112100000000042", "20261121000000004x", "２０２６１１２１００００００００４２",
            "2026112199999999999999999999",
        ])
    func refused(text: String) { #expect(OrderID(text) == nil) }

    @Test("Parses a page token, and refuses any other text")
    func tokens() {
        let token = OrderPageToken(after: 12345)
        #expect(OrderPageToken(token.description) == token)
        for text in ["", "p1-", "p1-0", "p1--5", "p1-+5", "p1-05", "p2-5", "p1-Z", "12345"] {
            #expect(OrderPageToken(text) == nil, "\(text)")
        }
    }
}
