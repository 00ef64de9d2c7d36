/// Finds the frames in a stream of bytes. A codec is a value without state and can be used on any
/// thread.
public protocol FrameCodec: Sendable {
    /// Positions of the parts of a frame, as offsets into the argument of `step`.
    associatedtype Frame: Sendable

    /// Inspects the start of a stream. `bytes` can be empty, and can hold several frames.
    ///
    /// Nothing is consumed or copied; the offsets in a frame are valid while the bytes are. Every
    /// offset is within `bytes`, even if the frame's length fields are wrong, and the result does
    /// not depend on bytes after the frame (except for `StringCodec`, which has no frames).
    ///
    /// - Throws: `FrameError` if the bytes break a rule of the format; the rest of the stream is
    ///   then unusable. Each rule is checked as soon as its field is complete, so an error can
    ///   occur before the frame is complete.
    func step(_ bytes: RawSpan) throws(FrameError) -> FrameStep<Frame>
}

/// Result of a codec for the start of a stream.
@frozen
public enum FrameStep<Frame: Sendable>: Sendable {
    /// The first frame is incomplete until at least `atLeast` bytes are available, which is more
    /// than were given. Calling `step` with fewer is allowed, but can only find an error.
    case needMore(atLeast: Int)
    /// One frame that occupies the first `byteCount` bytes: at least 1, at most all that were given.
    case frame(Frame, byteCount: Int)
}

extension FrameStep: Equatable where Frame: Equatable {}

/// Error in a stream: the rule that it breaks, the position, and the value that was found.
public struct FrameError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The rules of docs/wire-format.md.
    public enum Rule: String, Sendable {
        case startMarker = "start marker"
        case frameLength = "frame length"
        case messageIDLength = "msg_id length"
        case methodNameLength = "method_name length"
        case errorInfoLength = "err_info length"
        case checksum = "checksum"
        case endMarker = "end marker"
        /// A frame of a stream: more was sent than its receiver allowed.
        case flowControl = "flow control"
    }

    /// The broken rule.
    public let rule: Rule
    /// Offset of the field from the start of the frame, in bytes.
    public let offset: Int
    /// Value of the field.
    public let found: Int64
    /// Range of valid values.
    public let allowed: ClosedRange<Int64>
    /// Position of the message id if all length fields of the frame were valid, so that the frame
    /// can be answered; nil otherwise.
    public let messageID: Range<Int>?

    /// Creates an error; the arguments are the properties of the same names.
    public init(
        _ rule: Rule, at offset: Int, found: Int64, allowed: ClosedRange<Int64>,
        messageID: Range<Int>? = nil
    ) {
        self.rule = rule
        self.offset = offset
        self.found = found
        self.allowed = allowed
        self.messageID = messageID
    }

    /// The error in one line: `msg_id length at offset 5: found -1, allowed 0 to 32`.
    public var description: String {
        let range =
            allowed.lowerBound == allowed.upperBound
            ? "\(allowed.lowerBound)" : "\(allowed.lowerBound) to \(allowed.upperBound)"
        return "\(rule.rawValue) at offset \(offset): found \(found), allowed \(range)"
    }
}

/// A codec without framing: all bytes that have arrived are one frame. For echo tests and tools.
@frozen
public struct StringCodec: FrameCodec {
    /// Creates a codec without a limit.
    public init() {}

    /// Returns a frame with the range of all bytes; an empty stream needs one byte more.
    @inlinable
    public func step(_ bytes: RawSpan) throws(FrameError) -> FrameStep<Range<Int>> {
        bytes.byteCount == 0
            ? .needMore(atLeast: 1) : .frame(0..<bytes.byteCount, byteCount: bytes.byteCount)
    }
}
