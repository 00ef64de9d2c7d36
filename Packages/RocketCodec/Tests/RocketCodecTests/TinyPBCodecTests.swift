import RocketBase
import RocketCodec
import RocketCodecTestKit
import Testing

@Suite("TinyPBCodec")
struct TinyPBCodecTests {
    let codec = TinyPBCodec(maxFrameBytes: 1000)

    @Test("Decodes all fields of the golden request")
    func decodesGoldenRequest() throws {
        let frame = try #require(try codec.whole(Golden.request))
        #expect(Golden.request.text(frame.messageID) == "99998888")
        #expect(Golden.request.text(frame.methodName) == "Order.makeOrder")
        #expect(frame.errorCode == 0)
        #expect(frame.errorInfo.isEmpty)
        #expect([UInt8](Golden.request[frame.payload]) == hex("086412056170706c65"))
    }

    @Test("Encodes the golden frames to the same bytes")
    func encodesGoldenFrames() throws {
        #expect(try makeFrame(payload: hex("086412056170706c65")) == Golden.request)
        #expect(try makeFrame(payload: hex("12024f4b1a083230323330353134")) == Golden.response)
    }

    @Test("Decodes frames for all splits")
    func decodesAllSplits() throws {
        let empty = try makeFrame(id: "", method: "")
        let markers = try makeFrame(payload: [UInt8](repeating: 3, count: 40))
        let failed = try makeFrame(code: 10_000_009, info: "no such method")
        try DecoderVerifier(codec).verify(
            [Golden.request, Golden.response, empty, markers, failed].map {
                ($0, try #require(try codec.whole($0)))
            })
    }

    @Test("Checks each length field before it is used")
    func checksLengths() throws {
        // Offsets in the golden request: pk_len 1, msg_id_len 5, method_name_len 17, err_info_len 40.
        let fields: [(Int, FrameError.Rule, Int32)] = [
            (1, .frameLength, 58), (5, .messageIDLength, 8), (17, .methodNameLength, 15),
            (40, .errorInfoLength, 0),
        ]
        for (offset, rule, right) in fields {
            for wrong: Int32 in [.min, -1, 33, 59, 1001, .max] where wrong != right {
                let bytes = Golden.request.setting(wrong, at: offset)
                if rule == .frameLength, wrong == 59 || wrong == 33 { continue }
                let error = try #require(throws: FrameError.self) { try codec.whole(bytes) }
                #expect(error.rule == rule)
                #expect(error.offset == offset)
                #expect(error.found == Int64(wrong))
                #expect(error.messageID == nil)
            }
        }
    }

    @Test("Rejects a wrong length before the rest arrives")
    func rejectsEarly() throws {
        for (offset, have) in [(1, 5), (5, 9), (17, 21), (40, 44)] {
            let bytes = [UInt8](Golden.request.setting(.max, at: offset)[..<have])
            #expect(throws: FrameError.self) { try codec.whole(bytes) }
        }
        #expect(throws: FrameError.self) { try codec.whole([0x03]) }
    }

    @Test("Returns the exact number of bytes that are needed")
    func neededBytes() throws {
        let request = Golden.request
        #expect(try codec.step([UInt8]().span.bytes) == .needMore(atLeast: 5))
        for count in 1..<5 {
            #expect(
                try codec.step([UInt8](request[..<count]).span.bytes) == .needMore(atLeast: 5))
        }
        for count in 5..<58 {
            #expect(
                try codec.step([UInt8](request[..<count]).span.bytes) == .needMore(atLeast: 58))
        }
    }

    @Test("The error of a wrong end marker has the message id")
    func endMarkerError() throws {
        var bytes = Golden.request
        bytes[57] = 0x04
        let error = try #require(throws: FrameError.self) { try codec.whole(bytes) }
        #expect(error.rule == .endMarker)
        #expect(error.offset == 57)
        #expect(bytes.text(try #require(error.messageID)) == "99998888")
        #expect(error.description == "end marker at offset 57: found 4, allowed 3")
    }

    @Test("Accepts a frame at the limit and rejects one byte more")
    func frameLimit() throws {
        let atLimit = try makeFrame(codec, payload: [UInt8](repeating: 1, count: 1000 - 49))
        #expect(atLimit.count == 1000)
        #expect(try codec.whole(atLimit) != nil)
        #expect(throws: FrameError.self) {
            try makeFrame(codec, payload: [UInt8](repeating: 1, count: 1000 - 48))
        }
        let error = try #require(throws: FrameError.self) {
            try codec.whole(atLimit.setting(1001, at: 1))
        }
        #expect(error.description == "frame length at offset 1: found 1001, allowed 26 to 1000")
    }

    @Test("Does not change the buffer for a frame that cannot be encoded")
    func restoresBuffer() throws {
        var buffer = ByteBuffer()
        buffer.append(utf8: "before")
        let start = codec.begin(messageID: RawSpan(), methodName: RawSpan(), in: &buffer)
        buffer.append([UInt8](repeating: 0, count: 1000))
        #expect(throws: FrameError.self) { try codec.finish(start, in: &buffer) }
        #expect(buffer.copyBytes() == [UInt8]("before".utf8))
    }

    @Test("Truncates long error text between characters")
    func truncatesErrorText() throws {
        for padding in 0..<4 {
            let text = String(repeating: "x", count: padding) + String(repeating: "€", count: 200)
            let bytes = try makeFrame(code: 1, info: text)
            let frame = try #require(try codec.whole(bytes))
            let sent = bytes.text(frame.errorInfo)
            #expect(text.hasPrefix(sent))
            #expect(frame.errorInfo.count <= 511 && frame.errorInfo.count > 508)
        }
    }

    @Test("Error text of exactly the limit is sent whole, one byte more is truncated")
    func errorTextAtLimit() throws {
        for count in [510, 511, 512] {
            let bytes = try makeFrame(code: 1, info: String(repeating: "x", count: count))
            let frame = try #require(try codec.whole(bytes))
            #expect(frame.errorInfo.count == min(count, 511))
        }
    }

    // MARK: Oversized frames

    /// The codec's limit is 1000 bytes.
    private func oversized(_ bytes: [UInt8]) throws -> FrameStep<OversizedFrame>? {
        try codec.oversized(bytes.span.bytes)
    }

    @Test("The head of a frame over the limit names its call and its length")
    func oversizedHead() throws {
        let large = try makeFrame(payload: [UInt8](repeating: 1, count: 2000))
        for count in 0..<5 { #expect(try oversized([UInt8](large[..<count])) == nil) }
        for count in 5..<9 {
            #expect(try oversized([UInt8](large[..<count])) == .needMore(atLeast: 9))
        }
        // The id and the length after it.
        for count in 9..<21 {
            #expect(try oversized([UInt8](large[..<count])) == .needMore(atLeast: 21))
        }
        for count in [21, 100, large.count] {
            guard case .frame(let head, count)? = try oversized([UInt8](large[..<count])) else {
                Issue.record("no head in \(count) bytes")
                continue
            }
            #expect(head.messageID == 9..<17 && head.byteCount == large.count && head.isSkippable)
        }
        #expect(try oversized(Golden.request) == nil, "not oversized")
    }

    @Test("A frame over 16 times the limit is not skippable, one with an unsound head an error")
    func notSkippable() throws {
        let large = try makeFrame(payload: [UInt8](repeating: 1, count: 2000))
        let most = 16 * 1000
        for (length, isSkippable) in [(most, true), (most + 1, false), (Int(Int32.max), false)] {
            guard case .frame(let head, _)? = try oversized(large.setting(Int32(length), at: 1))
            else {
                Issue.record("no head of \(length) bytes")
                continue
            }
            #expect(head.byteCount == length && head.isSkippable == isSkippable)
        }
        // The longest name that the frame has room for beside the id, and one byte more.
        let room = Int32(large.count - 26 - 8)
        #expect(try oversized(large.setting(room, at: 17)) != nil)
        #expect(throws: FrameError.self) { try oversized(large.setting(room + 1, at: 17)) }
        let endless = large.setting(Int32.max, at: 1)
        for count in 5..<21 {
            #expect(throws: FrameError.self) { try oversized([UInt8](endless[..<count])) }
        }
        let bad = [
            large.setting(50, at: 5), large.setting(-1, at: 5), large.setting(5000, at: 17),
            large.setting(-1, at: 17), [0x03] + large[1...],
        ]
        for bytes in bad {
            #expect(throws: FrameError.self) { try codec.oversized(bytes.span.bytes) }
        }
    }
}
