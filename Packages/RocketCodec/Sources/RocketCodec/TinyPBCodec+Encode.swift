public import RocketBase

extension TinyPBCodec {
    /// Begins a frame at the end of `buffer`: everything before pb_data. Append the message next,
    /// then call `finish` with the value returned here.
    ///
    /// - Parameters:
    ///   - messageID: at most `peerSafeMessageIDBytes` unless the peer itself chose it.
    ///   - errorInfo: cut at a UTF-8 boundary to `maxErrorInfoBytes`.
    /// - Returns: the frame's offset in the buffer.
    @inlinable
    public func begin(
        messageID: RawSpan, methodName: RawSpan, errorCode: Int32 = 0,
        errorInfo: RawSpan = RawSpan(), in buffer: inout ByteBuffer
    ) -> Int {
        let start = buffer.readableBytes
        let info = errorInfo.extracting(first: cutLength(errorInfo))
        let header = 21 + messageID.byteCount + methodName.byteCount + info.byteCount
        _ = unsafe buffer.write(minimum: header) { room in
            var cursor = 0
            // SAFETY: `room` has `header` bytes, the sum of what is stored below.
            func store<T: BitwiseCopyable>(_ value: T) {
                unsafe room.storeBytes(of: value, toByteOffset: cursor, as: T.self)
                cursor += MemoryLayout<T>.size
            }
            func store(_ bytes: RawSpan) {
                store(UInt32(truncatingIfNeeded: bytes.byteCount).bigEndian)
                // SAFETY: as above; the source pointer stays within its closure.
                unsafe bytes.withUnsafeBytes { source in
                    unsafe UnsafeMutableRawBufferPointer(rebasing: room[cursor...])
                        .copyMemory(from: source)
                }
                cursor += bytes.byteCount
            }
            store(0x02 as UInt8)
            store(0 as UInt32)
            store(messageID)
            store(methodName)
            store(errorCode.bigEndian)
            store(info)
            return cursor
        }
        return start
    }

    /// Ends the frame that began at `start`: fills in its length and adds checksum and end marker.
    ///
    /// - Throws: `FrameError` (frame length) where it would pass `maxFrameBytes`; the buffer is
    ///   then as it was before `begin`.
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
        buffer.append(bigEndian: sum)
        buffer.append(byte: 0x03)
    }

    /// How much of `text` fits `maxErrorInfoBytes` and ends between two characters.
    @inlinable
    func cutLength(_ text: RawSpan) -> Int {
        if text.byteCount <= maxErrorInfoBytes { return text.byteCount }
        var end = maxErrorInfoBytes
        while end > 0, text.loadBigEndian(end, as: UInt8.self) & 0xC0 == 0x80 { end -= 1 }
        return end
    }
}
