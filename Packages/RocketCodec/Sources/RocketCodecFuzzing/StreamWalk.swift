import RocketCodec

/// Decodes the first 32 frames of a stream and checks that each step keeps the contract of
/// `FrameCodec`. A codec has no state, so more frames would only take time.
///
/// - Parameter visit: called with the bytes of each frame and the decoded frame.
func walk<Codec: FrameCodec>(
    _ bytes: [UInt8], with codec: Codec,
    visit: ([UInt8], Codec.Frame) throws(FuzzFinding) -> Void
) throws(FuzzFinding) where Codec.Frame: Equatable {
    var start = 0
    for _ in 0..<32 {
        let count = bytes.count - start
        switch try outcome(bytes, start..<bytes.count, codec) {
        case .success(.frame(let frame, let byteCount)):
            try require(
                byteCount > 0 && byteCount <= count, "a frame of \(byteCount) bytes in \(count)")
            let end = start + byteCount
            try require(
                try outcome(bytes, start..<end, codec)
                    == .success(.frame(frame, byteCount: byteCount)),
                "a frame depends on what follows it")
            if case .success(.needMore(let needed)) = try outcome(bytes, start..<end - 1, codec) {
                try require(needed <= byteCount, "needs \(needed) of \(byteCount) bytes")
            } else {
                throw FuzzFinding("a frame without its last byte is not incomplete")
            }
            try visit([UInt8](bytes[start..<end]), frame)
            start = end
        case .success(.needMore(let needed)):
            return try require(needed > count, "needs \(needed), has \(count)")
        case .failure:
            return
        }
    }
}

private func outcome<Codec: FrameCodec>(
    _ bytes: [UInt8], _ range: Range<Int>, _ codec: Codec
) throws(FuzzFinding) -> Result<FrameStep<Codec.Frame>, FrameError> {
    do {
        // SAFETY: the span is of an array that lives and does not change until step returns.
        return .success(try codec.step(unsafe bytes.span.bytes.extracting(range)))
    } catch {
        try require(!error.allowed.contains(error.found), "rejects an allowed value: \(error)")
        try require(
            error.offset >= 0 && error.offset < range.count, "offset outside the bytes: \(error)")
        if let id = error.messageID {
            try require(id.lowerBound >= 0 && id.upperBound <= range.count, "\(id): \(error)")
        }
        return .failure(error)
    }
}
