public import RocketBase

extension TinyPBCodec {
    /// Appends the start of a frame to `buffer`: all fields before pb_data. Append the message next,
    /// then call `finish` with the returned offset.
    ///
    /// - Parameters:
    ///   - messageID: at most `peerSafeMessageIDBytes`, unless the peer chose it; a longer one
    ///     overflows a buffer of C++ peers.
    ///   - errorCode: 0 means success (default).
    ///   - errorInfo: the text of an error is truncated at a UTF-8 boundary to `maxErrorInfoBytes`.
    ///     Metadata (`errorCode` 0) is never truncated; `MetadataBlock.write` limits it. Default
    ///     empty.
    /// - Returns: the offset of the frame in the buffer.
    @inlinable
    public func begin(
        messageID: RawSpan, methodName: RawSpan, errorCode: Int32 = 0,
        errorInfo: RawSpan = RawSpan(), in buffer: inout ByteBuffer
    ) -> Int {
        let start = buffer.readableBytes
        let info =
            errorCode == 0 ? errorInfo : errorInfo.extracting(first: truncatedLength(errorInfo))
        let header = 21 + messageID.byteCount + methodName.byteCount + info.byteCount
        let slot = unsafe buffer.slot(minimum: header)
        // SAFETY: the slot has room for `header` bytes, the sum of all fields written below.
        var cursor = unsafe FieldCursor(slot.start)
        cursor.put(0x02 as UInt8)
        cursor.put(0 as UInt32)
        cursor.put(field: messageID)
        cursor.put(field: methodName)
        cursor.put(errorCode.bigEndian)
        cursor.put(field: info)
        buffer.commit(header)
        return start
    }

    /// Completes the frame that begins at `start`: sets its length and appends the checksum and the
    /// end marker.
    ///
    /// - Throws: `FrameError` (frame length) if the frame is longer than `maxFrameBytes`; the frame is
    ///   then removed from the buffer.
    @inlinable
    public func finish(_ start: Int, in buffer: inout ByteBuffer) throws(FrameError) {
        let length = buffer.readableBytes - start + 5
        guard length <= maxFrameBytes else {
            buffer.truncate(to: start)
            throw FrameError(
                .frameLength, at: 1, found: Int64(length),
                allowed: Int64(TinyPBFrame.overheadBytes)...Int64(maxFrameBytes))
        }
        buffer.set(bigEndian: UInt32(truncatingIfNeeded: length), at: start + 1)
        var sum: UInt32 = 1
        if checksum != .none {
            sum = buffer.withBytes { Self.checksum(of: $0.extracting((start + 1)...)) }
        }
        let slot = unsafe buffer.slot(minimum: 5)
        // SAFETY: the slot has room for the five bytes written below.
        var cursor = unsafe FieldCursor(slot.start)
        cursor.put(sum.bigEndian)
        cursor.put(0x03 as UInt8)
        buffer.commit(5)
    }

    /// Returns the length of the longest prefix of `text` that fits `maxErrorInfoBytes` and does not
    /// split a UTF-8 character.
    @inlinable
    func truncatedLength(_ text: RawSpan) -> Int {
        if text.byteCount <= maxErrorInfoBytes { return text.byteCount }
        var end = maxErrorInfoBytes
        while end > 0, text.loadBigEndian(end, as: UInt8.self) & 0xC0 == 0x80 { end -= 1 }
        return end
    }
}
