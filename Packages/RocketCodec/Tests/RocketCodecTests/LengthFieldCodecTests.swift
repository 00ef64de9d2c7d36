import RocketBase
import RocketCodec
import RocketCodecTestKit
import Testing

@Suite struct LengthFieldCodecTests {
    func encode(_ codec: LengthFieldCodec, _ payload: [UInt8]) throws -> [UInt8] {
        var buffer = ByteBuffer()
        try codec.encode(payload.span.bytes, into: &buffer)
        return buffer.copyBytes()
    }

    @Test func theChatsFormatIsFourBytesBigEndian() throws {
        #expect(try encode(LengthFieldCodec(), [UInt8]("hi".utf8)) == hex("00000002 6869"))
    }

    @Test(
        arguments: LengthFieldCodec.Width.allCases, LengthFieldCodec.Endianness.allCases)
    func framesArriveInEveryWay(
        width: LengthFieldCodec.Width, endianness: LengthFieldCodec.Endianness
    ) throws {
        let codec = LengthFieldCodec(width: width, endianness: endianness, maxPayloadBytes: 200)
        try DecoderVerifier(codec).verify(
            [0, 1, 7, 200].map { count in
                let bytes = try encode(codec, [UInt8](repeating: 9, count: count))
                return (bytes, width.rawValue..<(width.rawValue + count))
            })
    }

    @Test func aLengthOverTheLimitIsRefusedFromItsHeaderAlone() throws {
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

    @Test func whatTheWidthCannotHoldIsNotEncoded() {
        let codec = LengthFieldCodec(width: .one, maxPayloadBytes: 1000)
        #expect(throws: FrameError.self) {
            try encode(codec, [UInt8](repeating: 0, count: 256))
        }
    }
}

@Suite struct StringCodecTests {
    @Test func whateverArrivedIsOneMessage() throws {
        #expect(
            try StringCodec().step(([1, 2, 3] as [UInt8]).span.bytes) == .frame(0..<3, byteCount: 3)
        )
        #expect(try StringCodec().step([UInt8]().span.bytes) == .needMore(atLeast: 1))
    }
}
