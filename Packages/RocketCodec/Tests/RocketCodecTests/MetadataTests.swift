import RocketBase
import RocketCodec
import Testing

@Suite("Metadata")
struct MetadataTests {
    func block(_ metadata: Metadata, timeout: Int64? = nil) throws -> String {
        var buffer = ByteBuffer()
        try MetadataBlock.write(metadata, timeoutMilliseconds: timeout, to: &buffer)
        return String(decoding: buffer.copyBytes(), as: UTF8.self)
    }

    func read(_ text: String) -> Metadata? {
        MetadataBlock.read([UInt8](text.utf8).span.bytes)
    }

    @Test("A block has lines of keys and percent-encoded values")
    func blockFormat() throws {
        let metadata: Metadata = ["x-name": "Grüße\n=%", "idempotency-key": "a-1"]
        let text = "rkm1\nx-name=Gr%C3%BC%C3%9Fe%0A%3D%25\nidempotency-key=a-1\n"
        #expect(try block(metadata) == text)
        #expect(read(text) == metadata)
    }

    @Test("Empty metadata takes no bytes")
    func emptyBlock() throws {
        #expect(try block([:]) == "")
    }

    @Test(
        "Reads a timeout without decoding other entries",
        arguments: [0, 9, 10, 1500, 9_007_199_254_740_993, .max] as [Int64])
    func readsTimeout(milliseconds: Int64) throws {
        let text = try block(["x-a": "b", "timeout-ms": "7"], timeout: milliseconds)
        #expect(text == "rkm1\ntimeout-ms=\(milliseconds)\nx-a=b\n")
        #expect(MetadataBlock.timeoutMilliseconds([UInt8](text.utf8).span.bytes) == milliseconds)
    }

    @Test("Bytes without the magic are not metadata")
    func requiresMagic() {
        for text in ["", "rkm1", "rkm2\na=b\n", "some error", "xrkm1\na=b\n"] {
            #expect(read(text) == nil)
        }
        #expect(read("rkm1\n") == [:])
    }

    @Test("Skips invalid lines and keeps the others")
    func skipsInvalidLines() {
        let text = "rkm1\nno equals\nUPPER=1\n=empty\nbad=%4\nbad=%zz\nbad=%FF\nok=1\nok=2\ncut=o"
        #expect(read(text) == ["ok": "2"])
    }

    @Test(
        "Ignores a timeout that is not a number",
        arguments: ["-1", "", "1x", "9223372036854775808", "0x10", "+1"])
    func ignoresInvalidTimeout(value: String) {
        let text = "rkm1\ntimeout-ms=\(value)\n"
        #expect(MetadataBlock.timeoutMilliseconds([UInt8](text.utf8).span.bytes) == nil)
    }

    @Test("The timeout equals that of the decoded block")
    func timeoutEqualsDecoded() {
        let cases: [(String, Int64?)] = [
            ("%31%30", 10), ("000000000000000000000012", 12), ("1\ntimeout-ms=%4", 1),
            ("1\ntimeout-ms=2", 2), ("1\ntimeout-ms=soon", nil), ("9223372036854775807", .max),
        ]
        for (value, expected) in cases {
            let text = "rkm1\ntimeout-ms=\(value)\n"
            let found = MetadataBlock.timeoutMilliseconds([UInt8](text.utf8).span.bytes)
            #expect(found == expected, "\(value)")
            #expect(read(text)?["timeout-ms"].flatMap { Int64($0) } == expected, "\(value)")
        }
    }

    @Test("Writes a deadline that has passed as zero")
    func writesZero() throws {
        #expect(try block([:], timeout: -1) == "rkm1\ntimeout-ms=0\n")
        #expect(try block([:], timeout: .min) == "rkm1\ntimeout-ms=0\n")
    }

    @Test("Reads tens of thousands of keys in one pass")
    func readsManyKeys() throws {
        let count = 50_000
        let lines = (0..<count).map { "k\($0)=\($0)\n" }.joined()
        let metadata = try #require(read("rkm1\n" + lines + "k3=three\nk49999=last\n"))
        #expect(metadata.entries.count == count)
        #expect(metadata.entries[3] == Metadata(dictionaryLiteral: ("k3", "three")).entries[0])
        #expect(metadata["k49999"] == "last")
    }

    @Test("Rejects a block over the limit with both lengths")
    func rejectsLongBlock() throws {
        let metadata: Metadata = ["k": String(repeating: "v", count: 511 - 5 - 3)]
        #expect(try block(metadata).utf8.count == 511)
        var buffer = ByteBuffer()
        let larger: Metadata = ["k": String(repeating: "v", count: 511 - 5 - 2)]
        #expect(throws: MetadataTooLarge(bytes: 512, limit: 511)) {
            try MetadataBlock.write(larger, to: &buffer)
        }
    }

    @Test("Setting nil removes a key")
    func removesKey() {
        var metadata: Metadata = ["a": "1", "b": "2"]
        metadata["a"] = nil
        metadata["b"] = "3"
        #expect(metadata == ["b": "3"])
    }
}
