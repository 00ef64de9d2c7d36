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
        #expect(read(text) == ["ok": "1", "ok": "2"])
        #expect(read("rkm1\nx=%c3%bC\n") == ["x": "ü"])
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
        #expect(metadata.entries.count == count + 2)
        #expect(metadata["k3"] == "three" && metadata["k49999"] == "last")
    }

    @Test("Rejects a block over the limit with both lengths")
    func rejectsLongBlock() throws {
        let metadata: Metadata = ["k": String(repeating: "v", count: 511 - 5 - 3)]
        #expect(try block(metadata).utf8.count == 511)
        var buffer = ByteBuffer()
        let larger: Metadata = ["k": String(repeating: "v", count: 511 - 5 - 2)]
        #expect(throws: MetadataError.tooLarge(bytes: 512, limit: 511)) {
            try MetadataBlock.write(larger, to: &buffer)
        }
        #expect(buffer.copyBytes() == [])
    }

    @Test("Setting nil removes a key")
    func removesKey() {
        var metadata: Metadata = ["a": "1", "b": "2"]
        metadata["a"] = nil
        metadata["b"] = "3"
        #expect(metadata == ["b": "3"])
    }

    // MARK: Keys from outside

    @Test("Keys are compared without regard to case and sent in lower case")
    func keysOfHTTPFields() throws {
        var metadata: Metadata = ["X-Request-ID": "1"]
        metadata["Authorization"] = "Bearer t"
        #expect(metadata["x-request-id"] == "1" && metadata["AUTHORIZATION"] == "Bearer t")
        #expect(try block(metadata) == "rkm1\nx-request-id=1\nauthorization=Bearer%20t\n")
        metadata["x-Request-Id"] = nil
        #expect(metadata == ["authorization": "Bearer t"])
    }

    @Test(
        "A key that can't be sent is an error when it is encoded",
        arguments: ["", "x y", "x+y", "x/y", "é", "a=b", "a\n", "\0", "ﬀ", "İ"])
    func invalidKey(key: String) throws {
        var metadata: Metadata = ["x-a": "1"]
        metadata[key] = "2"
        #expect(metadata[key] == "2")
        #expect(throws: MetadataError.invalidKey(key)) { try block(metadata) }
        metadata[key] = nil
        #expect(try block(metadata) == "rkm1\nx-a=1\n")
    }

    @Test("A key has several values, of which the last is the value")
    func severalValues() throws {
        var metadata: Metadata = ["x-a": "1", "x-b": "2", "X-A": "3"]
        metadata.add("4", for: "x-a")
        let text = try block(metadata)
        #expect(text == "rkm1\nx-a=1\nx-b=2\nx-a=3\nx-a=4\n")
        let received = try #require(read(text))
        #expect(received == metadata)
        #expect(received[values: "X-a"] == ["1", "3", "4"] && received["x-a"] == "4")
        #expect(received[values: "x-c"].isEmpty)
        metadata["x-a"] = "5"
        #expect(try block(metadata) == "rkm1\nx-a=5\nx-b=2\n")
        metadata["x-a"] = nil
        #expect(metadata == ["x-b": "2"])
    }

    // MARK: The announced limit

    @Test("A block announces its sender's limit")
    func announcesLimit() throws {
        var buffer = ByteBuffer()
        try MetadataBlock.write([:], announcesLimit: true, to: &buffer)
        #expect(buffer.copyBytes() == [UInt8]("rkm1\nlimit=8192\n".utf8))
        #expect(buffer.withBytes { MetadataBlock.announcedLimit($0) } == 8192)
        buffer.removeAll()
        try MetadataBlock.write(
            ["limit": "9", "x-a": "1"], timeoutMilliseconds: 5, announcesLimit: true, to: &buffer)
        let text = "rkm1\ntimeout-ms=5\nlimit=8192\nx-a=1\n"
        #expect(buffer.copyBytes() == [UInt8](text.utf8))
    }

    @Test("An announced limit is from 511 to 8192 bytes")
    func announcedLimit() {
        let cases: [(String, Int?)] = [
            ("rkm1\nlimit=8192\n", 8192), ("rkm1\nx=1\nlimit=600\n", 600),
            ("rkm1\nlimit=0\n", 511), ("rkm1\nlimit=99999999999\n", 8192),
            ("rkm1\nlimit=-1\n", nil), ("rkm1\nlimit=\n", nil), ("rkm1\n", nil), ("", nil),
            ("rkm1\nlimit=8192", nil), ("limit=8192\n", nil), ("rkm1\nlimits=8192\n", nil),
        ]
        for (text, expected) in cases {
            let found = MetadataBlock.announcedLimit([UInt8](text.utf8).span.bytes)
            #expect(found == expected, "\(text)")
        }
    }

    @Test("Metadata in a frame is never truncated", arguments: [511, 512, 8192])
    func metadataIsWhole(byteCount: Int) throws {
        let value = String(repeating: "v", count: byteCount - "rkm1\nk=\n".utf8.count)
        var info = ByteBuffer()
        try MetadataBlock.write(["k": value], to: &info, limitBytes: byteCount)
        let text = String(decoding: info.copyBytes(), as: UTF8.self)
        #expect(text.utf8.count == byteCount)
        let bytes = try makeFrame(info: text)
        let frame = try #require(try TinyPBCodec().whole(bytes))
        #expect(bytes.text(frame.errorInfo) == text)
    }
}
