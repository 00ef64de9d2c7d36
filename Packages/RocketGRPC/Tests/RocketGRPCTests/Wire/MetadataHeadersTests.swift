import RocketBase
import RocketCodec
import Testing

@testable import RocketGRPC

@Suite("Metadata in header fields")
struct MetadataHeadersTests {
    private func block(_ fields: [(String, String)]) -> ByteBuffer {
        var block = ByteBuffer()
        MetadataHeaders.appendStart(to: &block)
        for (name, value) in fields {
            withBytes(name) { name in
                withBytes(value) { MetadataHeaders.append(name, $0, to: &block) }
            }
        }
        return block
    }

    @Test("Fields become lines, repeated ones in their order")
    func lines() {
        let block = block([("x-a", "1 2"), ("key_with.dots", "é"), ("x-a", "%\n"), ("x-empty", "")])
        let metadata = block.withBytes { MetadataBlock.read($0) }
        #expect(metadata?[values: "x-a"] == ["1 2", "%\n"])
        #expect(metadata?["key_with.dots"] == "é")
        #expect(metadata?["x-empty"] == "")
    }

    @Test("Binary values stay base64, and a list of them becomes several")
    func binary() {
        let block = block([("x-bin", "AQI, AwQ=,"), ("x", "a,b")])
        let metadata = block.withBytes { MetadataBlock.read($0) }
        #expect(metadata?[values: "x-bin"] == ["AQI", "AwQ=", ""])
        #expect(metadata?[bytes: "x-bin"] == [])
        #expect(metadata?[values: "x"] == ["a,b"])
    }

    @Test(
        "Fields of HTTP, of gRPC and of the block itself are left out",
        arguments: [
            ":path", "te", "content-type", "grpc-timeout", "grpc-encoding", "grpc-foo",
            "connection", "host", "timeout-ms", "limit", "stream", "window", "", "x+y",
            "transfer-encoding", "trailer", "content-length", "keep-alive", "proxy-connection",
            "upgrade", "http2-settings",
        ])
    func reserved(name: String) { #expect(block([(name, "1")]).readableBytes == 5) }

    @Test(
        "These fields of gRPC are for applications",
        arguments: ["grpc-previous-rpc-attempts", "user-agent"])
    func kept(name: String) {
        #expect(block([(name, "1")]).withBytes { MetadataBlock.read($0) }?[name] == "1")
    }

    @Test("The entries of a block become fields; what gRPC can't carry is reported")
    func fields() throws {
        var block = ByteBuffer()
        let metadata: Metadata = [
            "x-a": "1", "x-b": "é", "te": "trailers", "x-a": "2", "limit": "9", "x-space": " a",
            "trace-bin": "AQ",
        ]
        try MetadataBlock.write(metadata, timeoutMilliseconds: 5, to: &block)
        var problems: [String] = []
        let fields = block.withBytes { MetadataHeaders.fields($0) { problems.append($0) } }
        #expect(fields.map(\.name) == ["x-a", "x-a", "trace-bin"])
        #expect(fields.map(\.value) == ["1", "2", "AQ"])
        #expect(problems == ["x-b", "te", "x-space"])
    }

    @Test("A block with nothing but its own entries has no fields")
    func noEntries() throws {
        var block = ByteBuffer()
        try MetadataBlock.write([:], timeoutMilliseconds: 5, announcesLimit: true, to: &block)
        #expect(block.withBytes { !MetadataHeaders.hasEntries($0) })
        #expect(block.withBytes { MetadataHeaders.fields($0).isEmpty })
        #expect(MetadataHeaders.hasEntries(RawSpan()) == false)
        var other = ByteBuffer()
        try MetadataBlock.write(["x": ""], timeoutMilliseconds: 5, to: &other)
        #expect(other.withBytes { MetadataHeaders.hasEntries($0) })
    }
}
