import RocketBase
import RocketCodec
import RocketCodecFuzzing
import RocketCodecTestKit
import Testing

/// Checks that encoded values decode to themselves for all splits. Each case shows its seed.
@Suite("Round trip of random values")
struct RoundTripTests {
    private struct Sent: Equatable {
        var messageID, methodName, errorInfo, payload: [UInt8]
        var errorCode: Int32
    }

    private func encode(_ sent: Sent, _ codec: TinyPBCodec) throws -> [UInt8] {
        var buffer = ByteBuffer()
        let start = codec.begin(
            messageID: sent.messageID.span.bytes, methodName: sent.methodName.span.bytes,
            errorCode: sent.errorCode, errorInfo: sent.errorInfo.span.bytes, in: &buffer)
        buffer.append(sent.payload)
        try codec.finish(start, in: &buffer)
        return buffer.copyBytes()
    }

    @Test("TinyPB frames decode to the encoded fields", arguments: 0..<40 as Range<UInt64>)
    func tinyPBFrames(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let checksums: [TinyPBCodec.Checksum] = [.none, .sent, .required]
        let codec = TinyPBCodec(checksum: checksums[Int(seed % 3)], maxErrorInfoBytes: 60)
        var frames: [([UInt8], TinyPBFrame)] = []
        for _ in 0..<4 {
            let sent = Sent(
                messageID: random.bytes(upTo: 49), methodName: random.bytes(upTo: 60),
                errorInfo: random.bytes(upTo: 60), payload: random.bytes(upTo: 90),
                errorCode: Int32.random(in: .min ... .max, using: &random))
            let bytes = try encode(sent, codec)
            let frame = try #require(try codec.whole(bytes))
            let received = Sent(
                messageID: [UInt8](bytes[frame.messageID]),
                methodName: [UInt8](bytes[frame.methodName]),
                errorInfo: [UInt8](bytes[frame.errorInfo]),
                payload: [UInt8](bytes[frame.payload]), errorCode: frame.errorCode)
            #expect(received == sent)
            #expect(try encode(received, codec) == bytes)
            frames.append((bytes, frame))
        }
        try DecoderVerifier(codec).verify(frames)
    }

    @Test("Length field frames decode to the encoded payload", arguments: 0..<24 as Range<UInt64>)
    func lengthFieldFrames(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let width = LengthFieldCodec.Width.allCases[Int(seed % 4)]
        let codec = LengthFieldCodec(
            width: width, endianness: seed % 8 < 4 ? .big : .little, maxPayloadBytes: 150)
        var frames: [([UInt8], Range<Int>)] = []
        for _ in 0..<5 {
            let payload = random.bytes(upTo: 150)
            var buffer = ByteBuffer()
            try codec.encode(payload.span.bytes, into: &buffer)
            let bytes = buffer.copyBytes()
            let range = width.rawValue..<bytes.count
            #expect([UInt8](bytes[range]) == payload)
            frames.append((bytes, range))
        }
        try DecoderVerifier(codec).verify(frames)
    }

    @Test("Metadata decodes to the encoded entries in order", arguments: 0..<100 as Range<UInt64>)
    func metadata(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let letters = [UInt8]("abcdefghijklmnopqrstuvwxyz0123456789-".utf8)
        var metadata = Metadata()
        for _ in 0..<Int.random(in: 0...40, using: &random) {
            let key = (0..<Int.random(in: 1...3, using: &random)).compactMap { _ in
                letters.randomElement(using: &random)
            }
            metadata[String(decoding: key, as: UTF8.self)] = random.text(upTo: 20)
        }
        metadata["timeout-ms"] = "7"
        let timeout = Int64.random(in: 0 ... .max, using: &random)
        var plain = ByteBuffer()
        var timed = ByteBuffer()
        try MetadataBlock.write(metadata, to: &plain, limitBytes: .max)
        try MetadataBlock.write(
            metadata, timeoutMilliseconds: timeout, to: &timed, limitBytes: .max)
        #expect(plain.withBytes { MetadataBlock.read($0) } == metadata)
        #expect(plain.withBytes { MetadataBlock.timeoutMilliseconds($0) } == 7)
        #expect(timed.withBytes { MetadataBlock.timeoutMilliseconds($0) } == timeout)
        #expect(timed.withBytes { MetadataBlock.read($0) }?["timeout-ms"] == "\(timeout)")
    }

    @Test("A string frame has all bytes", arguments: 0..<20 as Range<UInt64>)
    func stringFrame(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let bytes = random.bytes(upTo: 300) + [0]
        #expect(
            try StringCodec().step(bytes.span.bytes)
                == .frame(bytes.indices, byteCount: bytes.count))
    }

    @Test("Arbitrary bytes keep the contract of all targets", arguments: 0..<200 as Range<UInt64>)
    func arbitraryBytes(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        var bytes = random.bytes(upTo: 200)
        if let index = bytes.indices.randomElement(using: &random) { bytes[index] = 2 }
        for target in FuzzTarget.allCases { try target.run(bytes) }
        // A golden frame with a few changed bytes passes more checks than random bytes.
        var changed = Golden.request
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            changed[Int.random(in: changed.indices, using: &random)] = UInt8.random(
                in: 0...255, using: &random)
        }
        for target in FuzzTarget.allCases { try target.run(changed) }
    }
}
