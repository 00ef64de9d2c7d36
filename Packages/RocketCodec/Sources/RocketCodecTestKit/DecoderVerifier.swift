public import RocketCodec

/// A codec that did not find what it should have; the text says on which input.
public struct DecoderVerificationFailure: Error, CustomStringConvertible {
    /// What was expected, what came, and on which input.
    public let description: String
}

/// Feeds a codec the same frames in every way that a network delivers them, and frames whose
/// lengths lie (`verifyLengths`). For codecs that frame: what they find depends on no split.
public struct DecoderVerifier<Codec: FrameCodec> where Codec.Frame: Equatable {
    let codec: Codec

    /// A verifier of `codec`.
    public init(_ codec: Codec) { self.codec = codec }

    /// Checks whole, many at once, at every split point of each and of all together, byte by byte,
    /// and truncated.
    ///
    /// - Parameter frames: each frame's bytes, and what it has to decode to.
    /// - Throws: `DecoderVerificationFailure` for the first input that goes wrong.
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

    /// Decodes what arrives in `chunks`, looking again only when the codec said that it pays.
    public func decode(_ chunks: [[UInt8]]) throws(FrameError) -> [Codec.Frame] {
        var found: [Codec.Frame] = []
        var pending: [UInt8] = []
        var needed = 1
        for chunk in chunks {
            pending += chunk
            while pending.count >= needed {
                // SAFETY: the span is of an array that lives, unchanged, until step returns.
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
