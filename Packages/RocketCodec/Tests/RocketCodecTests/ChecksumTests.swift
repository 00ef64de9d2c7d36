import RocketCodec
import RocketCodecTestKit
import RocketSystem
import Testing

@Suite("CRC32C and checksums of frames")
struct ChecksumTests {
    @Test("CRC32C equals the published vectors")
    func publishedVectors() {
        // RFC 3720, B.4.
        let vectors: [([UInt8], UInt32)] = [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ([UInt8](0..<32), 0x46DD_794E),
            ([UInt8]("123456789".utf8), 0xE306_9283),
            ([], 0),
        ]
        for (bytes, sum) in vectors {
            #expect(CRC32C.checksum(bytes.span.bytes) == sum)
            #expect(CRC32C.tableChecksum(bytes.span.bytes) == sum)
        }
    }

    @Test("Hardware and table give equal checksums for all lengths and alignments")
    func hardwareAndTable() {
        var random = SplitMix(seed: 1)
        let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
        for start in 0..<9 {
            for end in start..<bytes.count {
                let part = bytes.span.bytes.extracting(start..<end)
                #expect(CRC32C.checksum(part) == CRC32C.tableChecksum(part))
            }
        }
    }

    @Test("Without checksums the field is ignored, as the originals do")
    func ignoresChecksum() throws {
        for sum in [0, 1, 2, .max, .min] as [Int32] {
            let bytes = Golden.response.setting(sum, at: 58)
            #expect(try TinyPBCodec().whole(bytes) != nil)
        }
    }

    @Test("A receiver with checksums verifies one that was sent")
    func verifiesSentChecksum() throws {
        let bytes = try makeFrame(TinyPBCodec(checksum: .sent), payload: [1, 2, 3])
        #expect(try TinyPBCodec(checksum: .sent).whole(bytes) != nil)
        #expect(try TinyPBCodec(checksum: .sent).whole(Golden.request) != nil)
        #expect(try TinyPBCodec(checksum: .required).whole(bytes) != nil)
        for index in 5..<(bytes.count - 1) {
            var flipped = bytes
            flipped[index] ^= 0x10
            #expect(throws: FrameError.self) {
                try TinyPBCodec(checksum: .sent).whole(flipped)
            }
        }
    }

    @Test("Only 1 means that a frame has no checksum")
    func noChecksum() throws {
        for sum in [0, 1, 2, .max, .min] as [Int32] {
            let codec = TinyPBCodec(checksum: .sent)
            let bytes = Golden.response.setting(sum, at: 58)
            #expect(((try? codec.whole(bytes)) != nil) == (sum == 1))
        }
    }

    @Test("The error of a wrong checksum has the rule and the message id")
    func reportsMismatch() throws {
        var bytes = try makeFrame(TinyPBCodec(checksum: .sent), payload: [1, 2, 3])
        bytes[bytes.count - 6] ^= 1
        let error = try #require(throws: FrameError.self) {
            try TinyPBCodec(checksum: .sent).whole(bytes)
        }
        #expect(error.rule == .checksum)
        #expect(error.messageID == 9..<17)
    }

    @Test("Rejects a frame without a checksum if one is required")
    func requiresChecksum() throws {
        let error = try #require(throws: FrameError.self) {
            try TinyPBCodec(checksum: .required).whole(Golden.request)
        }
        #expect(error.rule == .checksum)
    }
}
