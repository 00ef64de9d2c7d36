/// The head of a frame that is longer than a codec's limit, as offsets from its first byte.
public struct OversizedFrame: Hashable, Sendable {
    /// Id of the call, opaque bytes.
    public let messageID: Range<Int>
    /// Length of the whole frame, in bytes.
    public let byteCount: Int
    /// Whether the receiver should skip the frame; a longer one breaks the stream.
    public let isSkippable: Bool
}

extension TinyPBCodec {
    /// A frame of up to so many times `maxFrameBytes` is skippable.
    public static let skippableFactor = 16

    /// Inspects a frame that `step` refuses because it is longer than `maxFrameBytes`, so that the
    /// receiver can refuse this frame alone and skip its bytes without keeping them.
    ///
    /// - Returns: the head of the frame, whose other bytes may not have arrived, or how many bytes
    ///   are needed for it: at most 62. nil if the frame is not too long.
    /// - Throws: `FrameError` if the head of the frame breaks another rule: the stream is then
    ///   unusable; also if the frame is not skippable and its head has not arrived: waiting for it
    ///   would not help the stream. A msg_id of more than `peerSafeMessageIDBytes` breaks it too: no receiver has
    ///   sent one.
    public func oversized(_ bytes: RawSpan) throws(FrameError) -> FrameStep<OversizedFrame>? {
        guard bytes.byteCount >= 5 else { return nil }
        try checkMarker(bytes, at: 0, is: 0x02, .startMarker)
        let length = Int(bytes.loadBigEndian(1, as: Int32.self))
        if length <= maxFrameBytes { return nil }
        let isSkippable = length <= maxFrameBytes * Self.skippableFactor
        func needMore(_ count: Int) throws(FrameError) -> FrameStep<OversizedFrame> {
            if isSkippable { return .needMore(atLeast: count) }
            throw FrameError(
                .frameLength, at: 1, found: Int64(length),
                allowed: Int64(TinyPBFrame.overheadBytes)...Int64(maxFrameBytes))
        }
        var remaining = min(length - TinyPBFrame.overheadBytes, Self.peerSafeMessageIDBytes)
        guard let messageID = try field(bytes, lengthAt: 5, &remaining, .messageIDLength)
        else { return try needMore(9) }
        remaining = length - TinyPBFrame.overheadBytes - messageID.count
        guard
            try field(bytes, lengthAt: messageID.upperBound, &remaining, .methodNameLength) != nil
        else { return try needMore(messageID.upperBound + 4) }
        let frame = OversizedFrame(
            messageID: messageID, byteCount: length, isSkippable: isSkippable)
        return .frame(frame, byteCount: bytes.byteCount)
    }
}
