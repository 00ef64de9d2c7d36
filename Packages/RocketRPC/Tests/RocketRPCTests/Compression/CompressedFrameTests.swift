import RocketBase
import RocketCodec
import Testing

@_spi(Transport) @testable import RocketRPC

@Suite("Frames with compressed messages")
struct CompressedFrameTests {
    private static let announcement =
        "accept-encoding=best,runs\naccept-stream-encoding=best,runs\n"
    private let kit = FrameKit()
    private let encodings = CompressionEncodings(["best", "runs"])
    private let tools = CompressionTools(RunLengths(["best", "runs"]))
    private let long = [UInt8](repeating: 7, count: 2_000)

    // MARK: Out

    private func makeCompressor(above threshold: Int = 1_000) -> FrameCompressor {
        FrameCompressor(codec: kit.codec, encodings: encodings, thresholdBytes: threshold)
    }

    private func rewritten(
        _ frames: [UInt8], _ compressor: inout FrameCompressor
    ) throws -> [FrameKit.Answer] {
        var output = ByteBuffer()
        output.append([9, 9])
        output.append(frames)
        compressor.rewrite(from: 2, in: &output, tools)
        #expect(output.copyBytes().starts(with: [9, 9]))
        return try kit.parseAll(Array(output.copyBytes().dropFirst(2)))
    }

    @Test("The first frame with metadata announces the encodings, once")
    func announcement() throws {
        var compressor = makeCompressor()
        let bare = try kit.frame()
        let block = try kit.frame(info: "rkm1\ntimeout-ms=5\n", payload: [1])
        #expect(try rewritten(bare, &compressor).map(\.info) == [""])
        #expect(
            try rewritten(block + block, &compressor).map(\.info) == [
                "rkm1\n\(Self.announcement)timeout-ms=5\n", "rkm1\ntimeout-ms=5\n",
            ])
        #expect(try rewritten(block, &compressor) == [kit.parse(block)])
    }

    @Test("What would make the first block longer than any peer takes is not announced")
    func noRoom() throws {
        var compressor = makeCompressor()
        let full = "rkm1\nx-a=\(String(repeating: "a", count: 480))\n"
        #expect(try rewritten(kit.frame(info: full), &compressor).map(\.info) == [full])
    }

    @Test("Nothing is compressed before the peer has said that it reads it")
    func notBefore() throws {
        var compressor = makeCompressor()
        let frame = try kit.frame(info: "rkm1\n", payload: long)
        #expect(try rewritten(frame, &compressor).map(\.payload) == [long])
        #expect(try rewritten(frame, &compressor) == [kit.parse(frame)])
    }

    @Test("From the threshold on messages are compressed, if they get smaller")
    func threshold() throws {
        var compressor = makeCompressor()
        compressor.accept(1)
        let first = try rewritten(kit.frame(payload: long), &compressor)
        #expect(
            first.map(\.info) == ["rkm1\n\(Self.announcement)encoding=runs\n"])
        #expect(try first.map(\.payload) == [runs(long)])
        let mixed = (0..<2_000).map { UInt8(truncatingIfNeeded: $0) }
        for payload in [[], [1], [UInt8](long.prefix(999)), mixed] as [[UInt8]] {
            let frame = try kit.frame(payload: payload)
            #expect(try rewritten(frame, &compressor) == [kit.parse(frame)])
        }
        let exact = try rewritten(kit.frame(payload: Array(long.prefix(1_000))), &compressor)
        #expect(exact.map(\.info) == ["rkm1\nencoding=runs\n"])
    }

    @Test("Errors are sent as they are, and frames of streams where the peer reads no others")
    func others() throws {
        var compressor = makeCompressor()
        compressor.accept(0)
        for frame in [
            try kit.frame(code: 10_000_102, info: "no", payload: long),
            try kit.frame("rocket.data", payload: long),
            try kit.frame("rocket.data", info: "more", payload: long),
            try kit.frame("rocket.cancel"), try kit.frame(id: "", "rocket.goaway"),
        ] {
            #expect(try rewritten(frame, &compressor) == [kit.parse(frame)])
        }
    }

    // MARK: In

    /// What the receiver sees, and the refusals.
    private func taken(
        _ bytes: [UInt8], codec: TinyPBCodec = TinyPBCodec(), inPartsOf size: Int = .max
    ) -> (bytes: [UInt8], refused: [FrameDecompressor.Refusal], accepted: Int?) {
        var decompressor = FrameDecompressor(codec: codec, encodings: encodings)
        var source = ByteBuffer()
        var input = ByteBuffer()
        var refused: [FrameDecompressor.Refusal] = []
        var rest = bytes
        repeat {
            source.append(Array(rest.prefix(size)))
            rest = Array(rest.dropFirst(size))
            loop: while true {
                switch decompressor.next(&source, into: &input, tools) {
                case .taken: continue
                case .needMore: break loop
                case .refused(let refusal): refused.append(refusal)
                case .failed: break
                }
            }
        } while !rest.isEmpty
        return (input.copyBytes(), refused, decompressor.accepted)
    }

    @Test("Compressed messages are decompressed, others stay as they are, split anywhere")
    func decompressed() throws {
        let plain = try kit.frame(info: "rkm1\naccept-encoding=gzip, runs\n", payload: [1, 2])
        let bytes =
            try plain
            + kit.frame(info: "rkm1\na=1\nencoding=runs\nb=2\n", payload: runs(long))
            + kit.frame("rocket.data", info: "more", payload: long)
            + kit.frame(code: 5, info: "rkm1\nencoding=runs\n", payload: [3])
            + kit.frame(info: "rkm1\nencoding=identity\n", payload: [4])
        let expected =
            try plain + kit.frame(info: "rkm1\na=1\nb=2\n", payload: long)
            + kit.frame("rocket.data", info: "more", payload: long)
            + kit.frame(code: 5, info: "rkm1\nencoding=runs\n", payload: [3])
            + kit.frame(info: "rkm1\nencoding=identity\n", payload: [4])
        for size in [1, 7, 100, Int.max] {
            let found = taken(bytes, inPartsOf: size)
            #expect(found.bytes == expected)
            #expect(found.refused.isEmpty)
            #expect(found.accepted == 1)
        }
    }

    @Test("Messages that can't be decompressed are refused alone, and say why")
    func refused() throws {
        let good = try kit.frame(id: "4", payload: [1])
        let bytes =
            try kit.frame(id: "1", info: "rkm1\nencoding=br\n", payload: [1])
            + kit.frame(id: "2", info: "rkm1\nencoding=runs\n", payload: [1])
            + kit.frame(
                id: "3", info: "rkm1\nencoding=runs\n",
                payload: [UInt8](repeating: 255, count: 40_000)) + good
        let found = taken(bytes, codec: TinyPBCodec(maxFrameBytes: 50_000))
        #expect(found.bytes == good)
        #expect(
            found.refused.map { String(decoding: $0.messageID, as: UTF8.self) } == ["1", "2", "3"])
        #expect(
            found.refused.map(\.error.code) == [
                .unimplemented, .failedDeserialize, .resourceExhausted,
            ])
        #expect(found.refused[0].error.message.contains("supported are best, runs"))
        var reply = ByteBuffer()
        FrameDecompressor(codec: kit.codec, encodings: encodings)
            .append(found.refused[1], to: &reply)
        let answer = try kit.parse(reply.copyBytes())
        #expect((answer.id, answer.code) == ("2", .failedDeserialize))
        #expect(answer.method == "test.v1.Test.echo")
    }

    @Test("A message may fill the frame limit, and not a byte more")
    func frameLimit() throws {
        let codec = TinyPBCodec(maxFrameBytes: 3_000)
        let head = try kit.frame(info: "rkm1\n").count
        for (count, isTaken) in [(3_000 - head, true), (3_001 - head, false)] {
            let payload = [UInt8](repeating: 1, count: count)
            let frame = try kit.frame(info: "rkm1\nencoding=runs\n", payload: runs(payload))
            let found = taken(frame, codec: codec)
            #expect(found.refused.isEmpty == isTaken)
            #expect(found.bytes.count == (isTaken ? 3_000 : 0))
        }
    }

    @Test("A frame over the limit is passed on, and those behind it are read")
    func oversized() throws {
        let codec = TinyPBCodec(maxFrameBytes: 1_000)
        let large = try kit.frame(payload: [UInt8](repeating: 2, count: 3_000))
        let small = try kit.frame(info: "rkm1\nencoding=runs\n", payload: runs([5, 5, 5]))
        for size in [1, 99, Int.max] {
            let found = taken(large + small, codec: codec, inPartsOf: size)
            #expect(try found.bytes == large + kit.frame(info: "rkm1\n", payload: [5, 5, 5]))
        }
    }

    @Test("Bytes that are no frames are passed on as they are")
    func broken() throws {
        let bytes = try kit.frame(payload: [1]) + [UInt8]("GET / HTTP/1.1\r\n\r\n".utf8)
        #expect(taken(bytes).bytes == bytes)
    }

    // MARK: The first frame

    @Test("A connection is one with compression if its first frame asks for an encoding")
    func matches() throws {
        let wire = CompressedWire(RunLengths(), 1_000)
        func match(_ bytes: [UInt8]) -> WireMatch { wire.matches(bytes.span.bytes) }
        let asking = try kit.frame(info: "rkm1\naccept-encoding=zstd,runs\n", payload: long)
        #expect(match(asking) == .yes)
        let info = asking.count - long.count - 5
        for count in 0..<info { #expect(match(Array(asking.prefix(count))) == .needMore) }
        #expect(match(Array(asking.prefix(info))) == .yes)
        for frame in [
            try kit.frame(), try kit.frame(info: "rkm1\ntimeout-ms=5\n"),
            try kit.frame(info: "rkm1\naccept-encoding=zstd\n"),
            try kit.frame(code: 1, info: "rkm1\naccept-encoding=runs\n"),
            [UInt8]("PRI * HTTP/2.0".utf8), [2, 0, 0, 0, 99, 0xff, 0xff, 0xff, 0xff],
        ] {
            #expect(match(frame) == .no)
        }
    }
}
