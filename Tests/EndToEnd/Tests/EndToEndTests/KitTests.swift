import EndToEndKit
import Testing

struct KitTests {
    @Test("Decodes the golden request and encodes it to the same bytes")
    func golden() throws {
        let frame = try #require(TinyPBBytes(TinyPBBytes.goldenRequest))
        #expect(frame.messageID == "99998888")
        #expect(frame.method == "Order.makeOrder")
        #expect(frame.payload == TinyPBBytes.applePayload)
        #expect(frame.text(2) == "apple")
        #expect(frame.bytes == TinyPBBytes.goldenRequest)
        #expect(frame.bytes.count == 58)
    }
}
