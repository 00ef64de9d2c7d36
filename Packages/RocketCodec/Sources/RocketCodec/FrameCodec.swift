/// Finds the frames in a stream of bytes. A value without state: it may be used on any thread.
public protocol FrameCodec: Sendable {
    /// Says where the parts of one frame lie, as offsets into the bytes that `step` was given.
    associatedtype Frame: Sendable

    /// Looks at the first bytes of a stream.
    ///
    /// Nothing is consumed or copied; the offsets in a frame hold as long as the bytes stay.
    /// - Throws: `FrameError`; the stream can't be trusted further.
    func step(_ bytes: RawSpan) throws(FrameError) -> FrameStep<Frame>
}

/// What a codec found at the beginning of a stream.
@frozen
public enum FrameStep<Frame: Sendable>: Sendable {
    /// No whole frame yet: it makes no sense to look again before `atLeast` bytes are there.
    case needMore(atLeast: Int)
    /// One frame, of the first `byteCount` bytes.
    case frame(Frame, byteCount: Int)
}

extension FrameStep: Equatable where Frame: Equatable {}
