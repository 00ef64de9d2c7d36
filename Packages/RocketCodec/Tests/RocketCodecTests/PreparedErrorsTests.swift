import RocketBase
import RocketCodec
import Testing

/// Compares prepared frames with those that `begin` and `finish` write.
@Suite("Prepared errors")
struct PreparedErrorsTests {
    private func prepared(
        _ codec: TinyPBCodec, id: [UInt8], method: String, code: Int32, info: String
    ) -> (bytes: [UInt8], isWritten: Bool) {
        var ending = ByteBuffer()
        let (method, info) = ([UInt8](method.utf8), [UInt8](info.utf8))
        codec.appendEnding(
            methodName: method.span.bytes, errorCode: code, errorInfo: info.span.bytes,
            to: &ending)
        // The frame is appended to others.
        var output = ByteBuffer()
        output.append([1, 2, 3])
        let isWritten = ending.withBytes {
            codec.append(messageID: id.span.bytes, ending: $0, to: &output)
        }
        let bytes = output.copyBytes()
        #expect(bytes.prefix(3) == [1, 2, 3])
        return ([UInt8](bytes.dropFirst(3)), isWritten)
    }

    @Test(
        "Are the same bytes for every length of msg_id",
        arguments: [TinyPBCodec.Checksum.none, .sent, .required])
    func equal(checksum: TinyPBCodec.Checksum) throws {
        let codec = TinyPBCodec(checksum: checksum)
        for length in Array(0...70) + [1_000, 70_000] {
            let id = String(repeating: "7", count: length)
            let frame = prepared(
                codec, id: [UInt8](id.utf8), method: "Order.makeOrder", code: 14,
                info: "the server is overloaded: calls wait too long")
            #expect(frame.isWritten)
            #expect(
                try frame.bytes
                    == makeFrame(
                        codec, id: id, code: 14,
                        info: "the server is overloaded: calls wait too long"))
            #expect(try codec.whole(frame.bytes)?.errorCode == 14)
        }
    }

    @Test("Empty fields, codes out of the ordinary and long texts are written as by begin")
    func edges() throws {
        let codec = TinyPBCodec(maxErrorInfoBytes: 5)
        for (method, code, info) in [
            ("", Int32.min, ""), ("a.B.c", -1, "1234é"), ("a.B.c", .max, "123456"),
        ] {
            let frame = prepared(codec, id: [57], method: method, code: code, info: info)
            #expect(
                try frame.bytes == makeFrame(codec, id: "9", method: method, code: code, info: info)
            )
        }
    }

    @Test("A frame that would be too long is not written")
    func tooLong() throws {
        let whole = try makeFrame(id: "12", method: "a.B", code: 1, info: "text").count
        let fits = prepared(
            TinyPBCodec(maxFrameBytes: whole), id: [49, 50], method: "a.B", code: 1, info: "text")
        #expect(fits.isWritten && fits.bytes.count == whole)
        let small = prepared(
            TinyPBCodec(maxFrameBytes: whole - 1), id: [49, 50], method: "a.B", code: 1,
            info: "text")
        #expect(!small.isWritten && small.bytes == [])
    }
}
