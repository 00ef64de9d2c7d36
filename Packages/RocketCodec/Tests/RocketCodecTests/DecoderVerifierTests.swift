import RocketCodec
import RocketCodecTestKit
import Testing

@Suite("DecoderVerifier")
struct DecoderVerifierTests {
    /// Returns pk_len, msg_id_len, method_name_len and err_info_len of a frame.
    private func fields(_ frame: TinyPBFrame) -> [LengthField] {
        [
            1, frame.messageID.lowerBound - 4, frame.methodName.lowerBound - 4,
            frame.errorInfo.lowerBound - 4,
        ].map { LengthField(offset: $0, width: 4) }
    }

    @Test("TinyPBCodec passes all wrong lengths")
    func tinyPBLengths() throws {
        let codec = TinyPBCodec(maxFrameBytes: 1000)
        let frames = [
            Golden.request, Golden.response, try makeFrame(id: "", method: ""),
            try makeFrame(TinyPBCodec(checksum: .sent), code: 10_000_009, info: "no such method"),
        ]
        for bytes in frames {
            let frame = try #require(try codec.whole(bytes))
            try DecoderVerifier(codec).verifyLengths(of: bytes, fields(frame), limitBytes: 1000) {
                [$0.messageID, $0.methodName, $0.errorInfo, $0.payload]
            }
        }
        let wide = TinyPBCodec(maxFrameBytes: Int(Int32.max))
        let frame = try #require(try wide.whole(Golden.request))
        try DecoderVerifier(wide).verifyLengths(of: Golden.request, fields(frame)) {
            [$0.messageID, $0.methodName, $0.errorInfo, $0.payload]
        }
    }

    @Test(
        "LengthFieldCodec passes all wrong lengths", arguments: LengthFieldCodec.Width.allCases,
        LengthFieldCodec.Endianness.allCases)
    func lengthFieldLengths(
        width: LengthFieldCodec.Width, endianness: LengthFieldCodec.Endianness
    ) throws {
        for limit in [5, 100, .max] {
            let codec = LengthFieldCodec(
                width: width, endianness: endianness, maxPayloadBytes: limit)
            let header = [UInt8](repeating: 0, count: width.rawValue - 1)
            let bytes = (endianness == .big ? header + [5] : [5] + header) + [1, 2, 3, 4, 5]
            let field = LengthField(
                offset: 0, width: width.rawValue, isBigEndian: endianness == .big)
            try DecoderVerifier(codec).verifyLengths(
                of: bytes, [field], limitBytes: codec.maxPayloadBytes + width.rawValue
            ) { [$0] }
        }
    }

    // MARK: - Codecs with faults

    /// Frames with two bytes of length; decodes some lengths wrongly.
    private struct Faulty: FrameCodec {
        enum Fault: CaseIterable {
            case believesItsLength, signedLength, noLimit, rangePastTheFrame, consumesNothing
            case pointsOutside
        }

        let fault: Fault

        func step(_ bytes: RawSpan) throws(FrameError) -> FrameStep<Range<Int>> {
            guard bytes.byteCount >= 2 else { return .needMore(atLeast: 2) }
            let raw = bytes.withUnsafeBytes { UInt16($0[0]) << 8 | UInt16($0[1]) }
            let length = fault == .signedLength ? Int(Int16(bitPattern: raw)) : Int(raw)
            let end = 2 + length
            if fault == .pointsOutside, length == 4 {
                throw FrameError(.frameLength, at: end + 40, found: 4, allowed: 0...3)
            }
            if fault != .noLimit, length > 100 {
                throw FrameError(.frameLength, at: 0, found: Int64(length), allowed: 0...100)
            }
            switch fault {
            case .believesItsLength where length == 4: return .frame(2..<end, byteCount: end + 9)
            case .rangePastTheFrame where length == 2: return .frame(2..<end + 1, byteCount: end)
            case .consumesNothing where length == 0: return .frame(2..<2, byteCount: 0)
            default: break
            }
            if bytes.byteCount < end || end < 2 { return .needMore(atLeast: end) }
            return .frame(2..<end, byteCount: end)
        }
    }

    @Test("Finds a codec that does not check lengths", arguments: Faulty.Fault.allCases)
    private func findsWrongLengths(fault: Faulty.Fault) throws {
        let failure = try #require(throws: DecoderVerificationFailure.self) {
            try DecoderVerifier(Faulty(fault: fault)).verifyLengths(
                of: [0, 3, 7, 7, 7], [LengthField(offset: 0, width: 2)], limitBytes: 102
            ) { [$0] }
        }
        #expect(failure.description.hasPrefix("length at 0 set to "))
    }

    /// Frames with one byte of length; decodes some splits wrongly.
    private struct Splitting: FrameCodec {
        enum Fault: CaseIterable {
            case looksPastTheFrame, takesWhatIsThere, refusesShortInput, asksForTooMuch
        }

        let fault: Fault

        func step(_ bytes: RawSpan) throws(FrameError) -> FrameStep<Range<Int>> {
            guard bytes.byteCount > 0 else { return .needMore(atLeast: 1) }
            let end = 1 + bytes.withUnsafeBytes { Int($0[0]) }
            let isWhole = bytes.byteCount >= end
            switch fault {
            case .looksPastTheFrame where bytes.byteCount > end:
                return .frame(1..<end + 1, byteCount: end + 1)
            case .takesWhatIsThere where !isWhole && bytes.byteCount > 1:
                return .frame(1..<bytes.byteCount, byteCount: bytes.byteCount)
            case .refusesShortInput where !isWhole:
                throw FrameError(.frameLength, at: 0, found: Int64(end), allowed: 0...0)
            case .asksForTooMuch where !isWhole: return .needMore(atLeast: end + 1)
            default: break
            }
            return isWhole ? .frame(1..<end, byteCount: end) : .needMore(atLeast: end)
        }
    }

    @Test("Finds a codec that fails for some splits", arguments: Splitting.Fault.allCases)
    private func findsWrongSplits(fault: Splitting.Fault) {
        #expect(throws: DecoderVerificationFailure.self) {
            try DecoderVerifier(Splitting(fault: fault)).verify([
                ([2, 7, 7], 1..<3), ([1, 8], 1..<2), ([3, 9, 9, 9], 1..<4),
            ])
        }
    }

    @Test("A codec that traps ends the process")
    func trapsEndTheProcess() async {
        await #expect(processExitsWith: .failure) {
            struct Trapping: FrameCodec {
                func step(_ bytes: RawSpan) throws(FrameError) -> FrameStep<Range<Int>> {
                    guard bytes.byteCount >= 1 else { return .needMore(atLeast: 1) }
                    let end = bytes.withUnsafeBytes { $0[0] } + 1
                    return bytes.byteCount < Int(end)
                        ? .needMore(atLeast: Int(end)) : .frame(1..<Int(end), byteCount: Int(end))
                }
            }
            try DecoderVerifier(Trapping()).verifyLengths(
                of: [1, 9], [LengthField(offset: 0, width: 1)]
            ) { [$0] }
        }
    }

    @Test("Rejects an input that is not a frame")
    func rejectsOtherInput() {
        #expect(throws: DecoderVerificationFailure.self) {
            try DecoderVerifier(LengthFieldCodec()).verifyLengths(of: [1], []) { [$0] }
        }
    }
}
