import RocketBase
import RocketCodec
import Testing

@Suite("Trailing metadata")
struct TrailingMetadataTests {
    private func block(_ metadata: Metadata, _ trailing: Metadata?) throws -> String {
        var buffer = ByteBuffer()
        try MetadataBlock.write(metadata, trailing: trailing, to: &buffer)
        return String(decoding: buffer.copyBytes(), as: UTF8.self)
    }

    private func read(_ text: String) -> (metadata: Metadata, trailing: Metadata)? {
        MetadataBlock.readReply([UInt8](text.utf8).span.bytes)
    }

    @Test("Both kinds share the block of a reply, and are separated again")
    func both() throws {
        let trailing: Metadata = ["x-a": "2", "x-a": "3", "t-bin": "AA"]
        let text = try block(["x-a": "1"], trailing)
        #expect(text == "rkm1\nx-a=1\ntrailing-x-a=2\ntrailing-x-a=3\ntrailing-t-bin=AA\n")
        let both = try #require(read(text))
        #expect(both.metadata == ["x-a": "1"] && both.trailing == trailing)
    }

    @Test("Either kind may be missing, and without both there is no block")
    func missing() throws {
        #expect(try block([:], [:]) == "")
        #expect(try block([:], ["a": "1"]) == "rkm1\ntrailing-a=1\n")
        #expect(try block(["a": "1"], [:]) == "rkm1\na=1\n")
        let found = read("rkm1\na=1\n")
        #expect(found?.metadata == ["a": "1"] && found?.trailing == [:])
        #expect(read("no block") == nil)
    }

    @Test("A trailing key that begins with the mark keeps it, an initial one is refused")
    func marks() throws {
        let trailing: Metadata = ["trailing-a": "1", "trailing-": "2"]
        let text = try block([:], trailing)
        #expect(read(text)?.trailing == trailing)
        #expect(throws: MetadataError.reservedKey("trailing-a")) {
            try block(["x": "1", "Trailing-A": "1"], [:])
        }
        #expect(
            MetadataError.reservedKey("trailing-a").description
                == "metadata has the key \"trailing-a\"; `trailing-` marks trailing metadata, "
                + "so set it there")
        // Requests have no trailing metadata, so the key is as good as any other one.
        #expect(try block(["trailing-a": "1"], nil) == "rkm1\ntrailing-a=1\n")
        let bare = read("rkm1\ntrailing-=1\n")
        #expect(bare?.metadata == [:] && bare?.trailing == [:])
    }

    @Test("Both kinds count towards the limit, and both have the same keys")
    func limits() throws {
        let value = String(repeating: "v", count: 511 - "rkm1\na=1\ntrailing-b=\n".utf8.count)
        #expect(try block(["a": "1"], ["b": value]).utf8.count == 511)
        #expect(throws: MetadataError.tooLarge(bytes: 512, limit: 511)) {
            try block(["a": "1"], ["b": value + "v"])
        }
        #expect(throws: MetadataError.invalidKey("b c")) { try block(["a": "1"], ["b c": "1"]) }
    }
}
