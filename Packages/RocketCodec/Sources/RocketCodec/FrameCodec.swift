/// Finds the frames in a stream of bytes. A value without state: it may be used on any thread.
public protocol FrameCodec: Sendable {
    /// Says where the parts of one frame lie, as offsets into the bytes that `step` was given.
    associatedtype Frame: Sendable

    /// Looks at the first bytes of a stream, which may be none or more than one frame.
    ///
    /// Nothing is consumed or copied; the offsets in a frame hold as long as the bytes stay. All
    /// of a frame lies in the bytes given, whatever its lengths say, and the answer does not
    /// depend on what follows the frame (`StringCodec`, which has no frames, is the exception).
    /// - Throws: `FrameError`; the stream can't be trusted further. A rule is checked as soon as
    ///   its field is there, so an error may come before the frame is whole.
    func step(_ bytes: RawSpan) throws(FrameError) -> FrameStep<Frame>
}

/// What a codec found at the beginning of a stream.
@frozen
public enum FrameStep<Frame: Sendable>: Sendable {
    /// No whole frame yet, nor one before `atLeast` bytes are there: more than were given. To look
    /// earlier is allowed; all that it can find is an error.
    case needMore(atLeast: Int)
    /// One frame, of the first `byteCount` bytes: at least 1, at most those given.
    case frame(Frame, byteCount: Int)
}

extension FrameStep: Equatable where Frame: Equatable {}
