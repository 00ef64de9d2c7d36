import RocketCodec

/// Walks a stream frame by frame and holds every step to the contract of `FrameCodec`.
///
/// - Parameter visit: each frame's own bytes, and where its parts lie in them.
func walk<Codec: FrameCodec>(
    _ bytes: [UInt8], with codec: Codec,
    visit: ([UInt8], Codec.Frame) throws(FuzzFinding) -> Void
) throws(FuzzFinding) where Codec.Frame: Equatable {
    var rest = bytes
    while true {
        switch try outcome(rest, codec) {
        case .success(.frame(let frame, let byteCount)):
            try require(
                byteCount > 0 && byteCount <= rest.count,
                "a frame of \(byteCount) bytes in \(rest.count)")
            let own = [UInt8](rest[..<byteCount])
            try require(
                try outcome(own, codec) == .success(.frame(frame, byteCount: byteCount)),
                "a frame depends on what follows it")
            if case .success(.needMore(let count)) = try outcome(own.dropLast(), codec) {
                try require(count <= byteCount, "asked for \(count) of \(byteCount) bytes")
            } else {
                throw FuzzFinding("a frame without its last byte is no beginning of one")
            }
            try visit(own, frame)
            rest.removeFirst(byteCount)
        case .success(.needMore(let count)):
            return try require(count > rest.count, "asked for \(count), has \(rest.count)")
        case .failure:
            return
        }
    }
}

private func outcome<Codec: FrameCodec>(
    _ bytes: some Collection<UInt8>, _ codec: Codec
) throws(FuzzFinding) -> Result<FrameStep<Codec.Frame>, FrameError> {
    let bytes = [UInt8](bytes)
    do {
        // SAFETY: the span is of an array that lives, unchanged, until step returns.
        return .success(try codec.step(unsafe bytes.span.bytes))
    } catch {
        try require(!error.allowed.contains(error.found), "refused what it allows: \(error)")
        try require(bytes.indices.contains(error.offset), "points outside the bytes: \(error)")
        if let id = error.messageID {
            try require(id.lowerBound >= 0 && id.upperBound <= bytes.count, "\(id): \(error)")
        }
        return .failure(error)
    }
}
