import RocketBase
import RocketCompression
import Testing

@Suite("Settings of compression")
struct CompressionTests {
    @Test("Algorithms keep their order, without identity and repetitions")
    func algorithms() {
        #expect(Compression().encodings == ["zstd", "gzip"])
        let chosen = Compression([.gzip, .identity, .zstd, .gzip, .deflate])
        #expect(chosen.encodings == ["gzip", "zstd", "deflate"])
        #expect(Compression([]).encodings == [])
    }

    @Test("Levels out of range become the nearest one")
    func levels() {
        let low = Compression(zlibLevel: -3, zstdLevel: .min)
        #expect((low.zlibLevel, low.zstdLevel) == (1, 1))
        let high = Compression(zlibLevel: 10, zstdLevel: .max)
        #expect((high.zlibLevel, high.zstdLevel) == (9, 9))
    }

    @Test("Encodings are named by their position, and others are refused")
    func encodings() throws {
        let compressor = Compression([.gzip, .zstd]).makeCompressor()
        var small = ByteBuffer()
        try compressor.compress(text(300).span.bytes, encoding: 1, into: &small)
        #expect(small.copyBytes().starts(with: [0x28, 0xb5, 0x2f, 0xfd]))
        var output = ByteBuffer()
        try compressor.decompress(
            small.copyBytes().span.bytes, encoding: 1, into: &output, atMost: 300)
        #expect(output.copyBytes() == text(300))
        for encoding in [-1, 2, .max, .min] {
            #expect(throws: CompressionError.unsupported("encoding \(encoding)")) {
                try compressor.compress(text(1).span.bytes, encoding: encoding, into: &output)
            }
            #expect(throws: CompressionError.unsupported("encoding \(encoding)")) {
                try compressor.decompress(
                    text(1).span.bytes, encoding: encoding, into: &output, atMost: 1)
            }
        }
    }

    @Test("Each error has a text that says what is wrong")
    func texts() {
        #expect("\(CompressionError.corrupt("x"))" == "compressed data is corrupt: x")
        #expect("\(CompressionError.tooLarge(limitBytes: 9))".contains("limit of 9 bytes"))
    }
}
