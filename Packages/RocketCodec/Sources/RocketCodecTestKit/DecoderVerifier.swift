public import RocketCodec

/// A wrong result of a codec.
public struct DecoderVerificationFailure: Error, CustomStringConvertible {
    /// The input, the expected result and the result.
    public let description: String
}

/// Verifies that a codec decodes frames however a network splits them, and that it rejects wrong
/// length fields (`verifyLengths`). For codecs with frames, whose results do not depend on splits.
public struct DecoderVerifier<Codec: FrameCodec> where Codec.Frame: Equatable {
    let codec: Codec

    /// Creates a verifier of `codec`.
    public init(_ codec: Codec) { self.codec = codec }

    /// Decodes each frame and all frames together: whole, split at every position, byte by byte, and
    /// truncated.
    ///
    /// - Parameter frames: the bytes of each frame and the expected result.
    /// - Throws: `DecoderVerificationFailure` for the first input with a wrong result.
    public func verify(_ frames: [(bytes: [UInt8], frame: Codec.Frame)]) throws {
        let expected = frames.map(\.frame)
        let stream = frames.flatMap(\.bytes)
        for (bytes, frame) in frames {
            try expect([frame], from: [bytes], "whole")
            try expect([frame], from: bytes.map { [$0] }, "byte by byte")
            for split in bytes.indices {
                try expect(
                    [frame], from: [[UInt8](bytes[..<split]), [UInt8](bytes[split...])],
                    "split at \(split)")
                try expect([], from: [[UInt8](bytes[..<split])], "truncated to \(split)")
            }
        }
        try expect(expected, from: [stream], "all at once")
        for split in stream.indices {
            try expect(
                expected, from: [[UInt8](stream[..<split]), [UInt8](stream[split...])],
                "all, split at \(split)")
        }
        try expect(expected, from: stream.map { [$0] }, "all, byte by byte")
    }

    /// Decodes the stream that arrives in `chunks`; calls the codec only when as many bytes are
    /// available as it needs.
    public func decode(_ chunks: [[UInt8]]) throws(FrameError) -> [Codec.Frame] {
        var found: [Codec.Frame] = []
        var pending: [UInt8] = []
        var needed = 1
        for chunk in chunks {
            pending += chunk
            while pending.count >= needed {
                // SAFETY: the span is of an array that lives and does not change until step returns.
                switch try codec.step(unsafe pending.span.bytes) {
                case .needMore(let atLeast):
                    needed = max(atLeast, pending.count + 1)
                case .frame(let frame, let byteCount):
                    found.append(frame)
                    pending.removeFirst(byteCount)
                    needed = 1
                }
            }
        }
        return found
    }

    private func expect(_ frames: [Codec.Frame], from chunks: [[UInt8]], _ how: String) throws {
        let found: [Codec.Frame]
        do {
            found = try decode(chunks)
        } catch {
            throw DecoderVerificationFailure(description: "\(how): \(error)")
        }
        if found != frames {
            throw DecoderVerificationFailure(
                description: "\(how): expected \(frames), found \(found)")
        }
    }
}
