import RocketBase
import RocketCodec
import RocketCodecTestKit
import Testing

@Suite("LengthFieldCodec") struct LengthFieldCodecTests {
    func encode(_ codec: LengthFieldCodec, _ payload: [UInt8]) throws -> [UInt8] {
        var buffer = ByteBuffer()
        try codec.encode(payload.span.bytes, into: &buffer)
        return buffer.copyBytes()
    }

    @Test("The default is the format of the chat: four bytes, big-endian")
    func defaultFormat() throws {
        #expect(try encode(LengthFieldCodec(), [UInt8]("hi".utf8)) == hex("00000002 6869"))
    }

    @Test(
        "Decodes frames for all splits", arguments: LengthFieldCodec.Width.allCases,
        LengthFieldCodec.Endianness.allCases)
    func decodesAllSplits(
        width: LengthFieldCodec.Width, endianness: LengthFieldCodec.Endianness
    ) throws {
        let codec = LengthFieldCodec(width: width, endianness: endianness, maxPayloadBytes: 200)
        try DecoderVerifier(codec).verify(
            [0, 1, 7, 200].map { count in
                let bytes = try encode(codec, [UInt8](repeating: 9, count: count))
                return (bytes, width.rawValue..<(width.rawValue + count))
            })
    }

    @Test("Rejects a length over the limit when the header is complete")
    func rejectsLongFrames() throws {
        let codec = LengthFieldCodec(maxPayloadBytes: 10)
        for header in [hex("0000000b"), hex("80000000"), hex("ffffffff")] {
            #expect(throws: FrameError.self) { try codec.step(header.span.bytes) }
        }
        #expect(try codec.step(hex("0000000a").span.bytes) == .needMore(atLeast: 14))
        let wide = LengthFieldCodec(width: .eight, maxPayloadBytes: .max)
        for header in [hex("ffffffffffffffff"), hex("7fffffffffffffff")] {
            #expect(throws: FrameError.self) { try wide.step(header.span.bytes) }
        }
    }

    @Test("Does not encode a payload that is too long for the length field")
    func rejectsLongPayload() {
        let codec = LengthFieldCodec(width: .one, maxPayloadBytes: 1000)
        #expect(throws: FrameError.self) {
            try encode(codec, [UInt8](repeating: 0, count: 256))
        }
    }
}

@Suite("StringCodec") struct StringCodecTests {
    @Test("All bytes that have arrived are one frame")
    func oneFrame() throws {
        #expect(
            try StringCodec().step(([1, 2, 3] as [UInt8]).span.bytes) == .frame(0..<3, byteCount: 3)
        )
        #expect(try StringCodec().step([UInt8]().span.bytes) == .needMore(atLeast: 1))
    }
}
