/// No framing at all: whatever bytes have arrived are one message. For echo tests and tools.
@frozen
public struct StringCodec: FrameCodec {
    /// A codec without a state or a limit.
    public init() {}

    /// The frame is the range of all bytes; an empty stream needs one more.
    @inlinable
    public func step(_ bytes: RawSpan) throws(FrameError) -> FrameStep<Range<Int>> {
        bytes.byteCount == 0
            ? .needMore(atLeast: 1) : .frame(0..<bytes.byteCount, byteCount: bytes.byteCount)
    }
}
