import RocketBase
import Testing

@testable import RocketCodec

@Suite("Binary metadata")
struct BinaryMetadataTests {
    /// RFC 4648, section 10.
    private static let vectors = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ]

    @Test("Base64 is that of RFC 4648, written without padding and read with and without")
    func vectors() {
        for (plain, text) in Self.vectors {
            let bytes = [UInt8](plain.utf8)
            let bare = String(text.prefix { $0 != "=" })
            #expect(Base64.encode(bytes) == bare)
            #expect(Base64.decode(bare) == bytes)
            #expect(Base64.decode(text) == bytes)
        }
    }

    @Test(
        "Text that is not base64 is refused",
        arguments: [
            "A", "AAAAA", "AA=", "AAA==", "A===", "=", "==", "===", "====", "AAAA=", "AAAA==",
            "A=AA", "AA=A", "Zh", "Zm9", "Zg==Zg==", "AA A", "AA\n", "AA-A", "AA_A", "é", "A,A",
        ])
    func strict(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test("Bytes of each length and value come back")
    func roundTrip() {
        var random = SplitMix(seed: 19)
        for count in 0..<300 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode([0xFB, 0xFF, 0xBF]) == "+/+/")
        #expect(Base64.decode("+/+/") == [0xFB, 0xFF, 0xBF])
    }

    @Test("Metadata has bytes, which travel as base64")
    func bytes() throws {
        var metadata = Metadata()
        metadata[bytes: "Trace-Bin"] = [0, 1, 254]
        #expect(metadata["trace-bin"] == "AAH+")
        metadata.add(bytes: [7], for: "trace-bin")
        #expect(metadata[bytes: "trace-bin"] == [7])
        #expect(metadata.entries.map(\.bytes) == [[0, 1, 254], [7]])
        #expect(metadata.entries.map(\.isBinary) == [true, true])
        var buffer = ByteBuffer()
        try MetadataBlock.write(metadata, to: &buffer)
        #expect(
            String(decoding: buffer.copyBytes(), as: UTF8.self)
                == "rkm1\ntrace-bin=AAH%2B\ntrace-bin=Bw\n")
        #expect(buffer.withBytes { MetadataBlock.read($0) } == metadata)
        metadata[bytes: "trace-bin"] = nil
        #expect(metadata.isEmpty)
    }

    @Test("A value that is not base64 has no bytes and stays text")
    func otherText() {
        let metadata: Metadata = ["x-bin": "not base64!", "x-empty-bin": "", "x": "Zg"]
        #expect(metadata[bytes: "x-bin"] == nil && metadata["x-bin"] == "not base64!")
        #expect(metadata[bytes: "x-empty-bin"] == [])
        #expect(metadata[bytes: "x-none-bin"] == nil)
        #expect(metadata.entries.map(\.isBinary) == [true, true, false])
    }

    @Test("Keys are those of gRPC", arguments: ["a_b", "a.b", "_", ".", "-", "0", "x_y.z-bin"])
    func keys(key: String) throws {
        var buffer = ByteBuffer()
        try MetadataBlock.write([key: "1"], to: &buffer)
        #expect(buffer.withBytes { MetadataBlock.read($0) } == [key: "1"])
    }
}
