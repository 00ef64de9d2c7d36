import RocketBase
import RocketCodec
import Testing

@_spi(Transport) @testable import RocketRPC

@Suite("Data frames with compressed messages")
struct CompressedStreamFrameTests {
    private let kit = FrameKit()
    private let encodings = CompressionEncodings(["runs"])
    private let tools = CompressionTools(RunLengths())
    private let long = [UInt8](repeating: 7, count: 2_000)

    private func data(_ payload: [UInt8], _ info: String = "", id: String = "1") throws -> [UInt8] {
        try kit.frame(id: id, "rocket.data", info: info, payload: payload)
    }

    private func compressed(
        _ payload: [UInt8], length: String, more: Bool = false, encoding: String = "runs"
    ) throws -> [UInt8] {
        try data(
            payload,
            "rkm1\nencoding=\(encoding)\nlength=\(length)\n" + (more ? "more=1\n" : ""))
    }

    // MARK: Out

    /// A compressor whose announcement has been sent.
    private func makeCompressor(inStreams: Int? = 0) throws -> FrameCompressor {
        var compressor = FrameCompressor(
            codec: kit.codec, encodings: encodings, thresholdBytes: 1_000)
        compressor.accept(0, inStreams: inStreams)
        _ = try rewritten(kit.frame(), &compressor)
        return compressor
    }

    private func rewritten(
        _ frames: [UInt8], _ compressor: inout FrameCompressor, compresses: Bool = true
    ) throws -> [UInt8] {
        var output = ByteBuffer()
        output.append([9, 9])
        output.append(frames)
        compressor.rewrite(from: 2, in: &output, compresses: compresses, tools)
        #expect(output.copyBytes().starts(with: [9, 9]))
        return Array(output.copyBytes().dropFirst(2))
    }

    @Test("Parts of messages are compressed, each with its length; others and their order stay")
    func out() throws {
        var compressor = try makeCompressor()
        let mixed = (0..<2_000).map { UInt8(truncatingIfNeeded: $0) }
        let frames: [[UInt8]] = [
            try data([1]), try data(long, "more"), try data(mixed), try data(long),
            try data([], "end"),
        ]
        let expected: [[UInt8]] = [
            try data([1]), try compressed(runs(long), length: "2000", more: true), try data(mixed),
            try compressed(runs(long), length: "2000"), try data([], "end"),
        ]
        #expect(try rewritten(frames.flatMap(\.self), &compressor) == expected.flatMap(\.self))
    }

    @Test("A peer that reads compressed messages, but none in streams, receives none there")
    func oldPeer() throws {
        var compressor = try makeCompressor(inStreams: nil)
        let frames = try data(long, "more") + data(long)
        #expect(try rewritten(frames, &compressor) == frames)
        let reply = try rewritten(kit.frame(payload: long), &compressor)
        #expect(try kit.parse(reply).info == "rkm1\nencoding=runs\n")
    }

    @Test("Nothing is compressed that must not be")
    func off() throws {
        var compressor = try makeCompressor()
        for frame in [try data(long), try kit.frame(payload: long)] {
            #expect(try rewritten(frame, &compressor, compresses: false) == frame)
        }
    }

    @Test("The first window frame of a server announces its encodings")
    func window() throws {
        var compressor = FrameCompressor(
            codec: kit.codec, encodings: encodings, thresholdBytes: 1_000)
        let window = try kit.frame("rocket.window", payload: [0, 0, 0, 0, 0, 0, 0, 9])
        #expect(try rewritten(window, &compressor) == window)
        compressor.accept(0, inStreams: 0)
        let first = try kit.parse(rewritten(window, &compressor, compresses: false))
        #expect(first.info == "rkm1\naccept-encoding=runs\naccept-stream-encoding=runs\n")
        #expect(first.payload == [0, 0, 0, 0, 0, 0, 0, 9])
        #expect(try rewritten(window, &compressor) == window)
    }

    // MARK: In

    private struct Taken {
        var bytes: [UInt8] = []
        var failed: [RPCError] = []
    }

    /// What the receiver sees.
    private func taken(
        _ bytes: [UInt8], codec: TinyPBCodec = TinyPBCodec(), inPartsOf size: Int = .max
    ) -> Taken {
        var decompressor = FrameDecompressor(codec: codec, encodings: encodings)
        var source = ByteBuffer()
        var input = ByteBuffer()
        var taken = Taken()
        var rest = bytes
        repeat {
            source.append(Array(rest.prefix(size)))
            rest = Array(rest.dropFirst(size))
            loop: while true {
                switch decompressor.next(&source, into: &input, tools) {
                case .taken, .refused: continue
                case .needMore: break loop
                case .failed(let error): taken.failed.append(error)
                }
            }
        } while !rest.isEmpty
        taken.bytes = input.copyBytes()
        return taken
    }

    @Test("What is compressed is decompressed, split anywhere")
    func roundTrip() throws {
        var compressor = try makeCompressor()
        let full = [UInt8](repeating: 3, count: 65_536)
        let frames =
            try data(long, "more") + data(full, "more") + data([5]) + data(long) + data([], "end")
            + kit.frame(payload: long)
        let sent = try rewritten(frames, &compressor)
        #expect(sent.count < 2_000)
        let expected =
            try frames.dropLast(kit.frame(payload: long).count)
            + kit.frame(info: "rkm1\n", payload: long)
        for size in [1, 7, 100, Int.max] {
            let found = taken(sent, inPartsOf: size)
            #expect(found.bytes == expected)
            #expect(found.failed.isEmpty)
        }
    }

    @Test("The peer's encodings in streams are those of accept-stream-encoding")
    func accepted() throws {
        for (info, inStreams) in [
            ("rkm1\naccept-encoding=runs\n", nil),
            ("rkm1\naccept-encoding=runs\naccept-stream-encoding=zstd,runs\n", 0),
            ("rkm1\naccept-encoding=runs\naccept-stream-encoding=zstd\n", nil),
        ] as [(String, Int?)] {
            var decompressor = FrameDecompressor(codec: kit.codec, encodings: encodings)
            var source = ByteBuffer()
            var input = ByteBuffer()
            source.append(try kit.frame(info: info))
            _ = decompressor.next(&source, into: &input, tools)
            #expect(decompressor.accepted == 0)
            #expect(decompressor.acceptedInStreams == inStreams)
        }
    }

    @Test("Parts that can't be decompressed become data frames that fail their call")
    func failed() throws {
        let good = try data([1])
        let cases: [(frame: [UInt8], code: RPCErrorCode, counted: UInt8)] = [
            (try compressed([2, 7], length: "2", encoding: "br"), .unimplemented, 2),
            (try compressed([2], length: "2"), .failedDeserialize, 2),
            (try compressed([2, 7], length: "1"), .failedDeserialize, 1),
            (try compressed([2, 7], length: "3"), .failedDeserialize, 3),
            (try compressed([2, 7], length: "0"), .failedDeserialize, 0),
            (try compressed([2, 7], length: ""), .failedDeserialize, 0),
            (try compressed([2, 7], length: "-2"), .failedDeserialize, 0),
            (try compressed([2, 7], length: "65537"), .failedDeserialize, 0),
            (try compressed([2, 7], length: "18446744073709551618"), .failedDeserialize, 0),
            (try data([2, 7], "rkm1\nencoding=runs\n"), .failedDeserialize, 0),
        ]
        for (frame, code, counted) in cases {
            let found = taken(frame + good, inPartsOf: 5)
            #expect(found.failed.map(\.code) == [code])
            let passed = try kit.parseAll(found.bytes)
            #expect(passed.map(\.id) == ["1", "1"])
            #expect(passed.map(\.method) == ["rocket.data", "rocket.data"])
            #expect(passed.map(\.code) == [code, RPCErrorCode(rawValue: 0)])
            #expect(passed[0].payload == [0, 0, 0, 0, 0, 0, 0, counted])
            #expect(passed[0].info.contains(code == .unimplemented ? "'br'" : "the message"))
        }
    }

    @Test("A bomb produces no more than the length that it says, nor more than a frame")
    func bomb() throws {
        let bomb = [UInt8](repeating: 255, count: 200_000)
        let found = taken(try compressed(bomb, length: "65536"))
        #expect(found.failed.map(\.code) == [.failedDeserialize])
        #expect(found.bytes.count < 200)
        let large = try compressed(runs(long), length: "2000")
        let limited = taken(large, codec: TinyPBCodec(maxFrameBytes: 1_000))
        #expect(limited.failed.map(\.code) == [.resourceExhausted])
        #expect(limited.bytes.count < 200)
    }

    @Test("Changed bytes give frames, or nothing, and never more than the limits")
    func changed() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed: seed)
        let frame = try compressed(runs(long), length: "2000", more: true)
        for _ in 0..<2_000 {
            var bytes = frame
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 9..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            let found = taken(bytes + frame, inPartsOf: Int.random(in: 1...90, using: &random))
            #expect(found.bytes.count <= 2 * 65_600, "seed \(seed)")
        }
    }
}
