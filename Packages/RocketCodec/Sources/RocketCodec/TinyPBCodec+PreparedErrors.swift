public import RocketBase

// Errors that are sent in reply to many calls: all of the frame but its msg_id is written once.

extension TinyPBCodec {
    /// Appends what follows the msg_id in a frame with an error and without pb_data, for
    /// `append(messageID:ending:to:)`.
    ///
    /// - Parameters:
    ///   - errorCode: not 0.
    ///   - errorInfo: the text, truncated as by `begin`.
    public func appendEnding(
        methodName: RawSpan, errorCode: Int32, errorInfo: RawSpan, to buffer: inout ByteBuffer
    ) {
        let info = errorInfo.extracting(first: truncatedLength(errorInfo))
        let count = 17 + methodName.byteCount + info.byteCount
        let slot = unsafe buffer.slot(minimum: count)
        // SAFETY: the slot has room for `count` bytes, the sum of all fields written below.
        var cursor = unsafe FieldCursor(slot.start)
        cursor.put(field: methodName)
        cursor.put(errorCode.bigEndian)
        cursor.put(field: info)
        cursor.put((1 as UInt32).bigEndian)
        cursor.put(0x03 as UInt8)
        buffer.commit(count)
    }

    /// Appends the frame with that msg_id and that ending: the same bytes as `begin` and `finish`.
    ///
    /// - Parameters:
    ///   - messageID: that of the request.
    ///   - ending: what `appendEnding` of an equal codec wrote.
    /// - Returns: false if the frame would be longer than `maxFrameBytes`; the buffer is then
    ///   unchanged.
    @inlinable
    public func append(messageID: RawSpan, ending: RawSpan, to buffer: inout ByteBuffer) -> Bool {
        let length = 9 + messageID.byteCount + ending.byteCount
        if length > maxFrameBytes { return false }
        let slot = unsafe buffer.slot(minimum: length)
        // SAFETY: the slot has room for `length` bytes, the sum of all fields written below.
        var cursor = unsafe FieldCursor(slot.start)
        cursor.put(0x02 as UInt8)
        cursor.put(UInt32(truncatingIfNeeded: length).bigEndian)
        cursor.put(field: messageID)
        cursor.put(ending)
        buffer.commit(length)
        if checksum != .none { setChecksum(ofLast: length, in: &buffer) }
        return true
    }

    /// Sets the checksum of the frame at the end of the buffer.
    @usableFromInline
    func setChecksum(ofLast length: Int, in buffer: inout ByteBuffer) {
        let end = buffer.readableBytes
        let sum = buffer.withBytes {
            Self.checksum(of: $0.extracting((end - length + 1)..<(end - 5)))
        }
        buffer.set(bigEndian: sum, at: end - 5)
    }
}
