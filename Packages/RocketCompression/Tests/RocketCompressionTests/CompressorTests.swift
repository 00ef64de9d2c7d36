import RocketBase
import RocketCompression
import RocketCompressionFuzzing
import Testing

@Suite("Compressing and decompressing")
struct CompressorTests {
    @Test("Messages of any length come back", arguments: CompressionAlgorithm.allCases)
    func comeBack(algorithm: CompressionAlgorithm) throws {
        let compressor = Compressor()
        for count in [0, 1, 2, 31, 1_000, 65_535, 65_536, 200_000, 500_000] {
            let bytes = text(count)
            let small = try FuzzTarget.compressed(bytes, algorithm, by: compressor)
            if count > 1_000, algorithm != .identity { #expect(small.count < count / 2) }
            let again = try FuzzTarget.decompressed(
                small, algorithm, atMost: count, by: compressor)
            #expect(again == bytes, "\(count) bytes")
        }
    }

    @Test("Messages that other programs have compressed are read")
    func othersAreRead() throws {
        let gzip: [UInt8] = [
            0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xf3, 0x2f, 0x4a, 0x49,
            0x2d, 0xd2, 0xcb, 0x4d, 0xcc, 0x4e, 0xf5, 0x07, 0xb1, 0x14, 0xfc, 0x51, 0xf9, 0x00,
            0x99, 0x26, 0xa8, 0x56, 0x1f, 0x00, 0x00, 0x00,
        ]
        let deflate: [UInt8] = [
            0x78, 0x9c, 0xf3, 0x2f, 0x4a, 0x49, 0x2d, 0xd2, 0xcb, 0x4d, 0xcc, 0x4e, 0xf5, 0x07,
            0xb1, 0x14, 0xfc, 0x51, 0xf9, 0x00, 0xb8, 0xe3, 0x0b, 0xa9,
        ]
        let zstd: [UInt8] = [
            0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x1f, 0x9d, 0x00, 0x00, 0x58, 0x4f, 0x72, 0x64, 0x65,
            0x72, 0x2e, 0x6d, 0x61, 0x6b, 0x65, 0x20, 0x02, 0x00, 0x33, 0x5b, 0xb4, 0x2d, 0x48,
            0x92, 0x37, 0xd7, 0x56,
        ]
        let message = Array("Order.makeOrder Order.makeOrder".utf8)
        #expect(outcome(gzip, .gzip) == .success(message))
        #expect(outcome(deflate, .deflate) == .success(message))
        #expect(outcome(zstd, .zstd) == .success(message))
    }

    @Test("Bytes are appended to what the output has", arguments: realAlgorithms)
    func areAppended(algorithm: CompressionAlgorithm) throws {
        let small = try FuzzTarget.compressed(text(500), algorithm)
        var output = ByteBuffer()
        output.append([7])
        try Compressor().decompress(
            small.span.bytes, with: algorithm, into: &output, atMost: 500)
        #expect(output.copyBytes() == [7] + text(500))
    }

    @Test("Several members and frames are one message")
    func severalMembers() throws {
        for algorithm in [CompressionAlgorithm.gzip, .zstd] {
            let first = try FuzzTarget.compressed(text(900), algorithm)
            let empty = try FuzzTarget.compressed([], algorithm)
            let second = try FuzzTarget.compressed(text(80), algorithm)
            let all = first + empty + second
            #expect(outcome(all, algorithm) == .success(text(900) + text(80)))
            #expect(outcome(all, algorithm, atMost: 980) == .success(text(900) + text(80)))
            #expect(
                outcome(all, algorithm, atMost: 979) == .failure(.tooLarge(limitBytes: 979)))
            #expect(outcome(Array(all.dropLast(3)), algorithm) == .failure(.truncated))
        }
        let skippable: [UInt8] = [0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]
        let frame = try FuzzTarget.compressed(text(80), .zstd)
        #expect(outcome(skippable + frame + skippable, .zstd) == .success(text(80)))
    }

    @Test("What does not fit into the output is refused", arguments: CompressionAlgorithm.allCases)
    func outputIsFull(algorithm: CompressionAlgorithm) throws {
        var output = ByteBuffer(limitBytes: 10)
        output.append([1, 2])
        let long = text(1_000)
        #expect(throws: CompressionError.tooLarge(limitBytes: 8)) {
            try Compressor().compress(long.span.bytes, with: algorithm, into: &output)
        }
        let small = try FuzzTarget.compressed(long, algorithm)
        #expect(throws: CompressionError.tooLarge(limitBytes: 8)) {
            try Compressor().decompress(
                small.span.bytes, with: algorithm, into: &output, atMost: .max)
        }
        #expect(output.copyBytes() == [1, 2])
        var full = ByteBuffer(limitBytes: 0)
        #expect(throws: CompressionError.tooLarge(limitBytes: 0)) {
            try Compressor().compress(long.span.bytes, with: algorithm, into: &full)
        }
    }

    @Test("States that were released are made again", arguments: realAlgorithms)
    func releaseMemory(algorithm: CompressionAlgorithm) throws {
        let compressor = Compressor()
        for _ in 0..<2 {
            let small = try FuzzTarget.compressed(text(80), algorithm, by: compressor)
            #expect(
                try FuzzTarget.decompressed(small, algorithm, by: compressor) == text(80))
            compressor.releaseMemory()
        }
    }
}
