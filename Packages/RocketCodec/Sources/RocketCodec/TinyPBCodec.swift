public import RocketBase
import RocketSystem

/// Codec of the wire format of the C++ frameworks rocket and tinyrpc; see docs/wire-format.md.
@frozen
public struct TinyPBCodec: FrameCodec, Hashable {
    /// Use of the field check_sum.
    @frozen
    public enum Checksum: Sendable {
        /// Sends 1 ("not checked") and ignores what the peer sends, as the originals do. The
        /// default.
        case none
        /// Sends CRC32C and verifies checksums of the peer.
        case sent
        /// Sends CRC32C and rejects frames without a checksum.
        case required
    }

    /// Longest frame that is decoded or encoded, in bytes, including the markers: 26 to Int32.max;
    /// default 4 MiB.
    public let maxFrameBytes: Int
    /// Use of check_sum; default `none`.
    public let checksum: Checksum
    /// Longest text of an error that is sent, in bytes; a longer one is truncated at a UTF-8 boundary. Default
    /// 511: C++ peers have buffers of 512 bytes.
    public let maxErrorInfoBytes: Int

    /// Longest msg_id for C++ peers, in bytes; a longer one overflows tinyrpc's buffer of 50 bytes.
    public static let peerSafeMessageIDBytes = 49
    /// Longest method_name for C++ peers, in bytes; a longer one overflows a buffer.
    public static let peerSafeMethodNameBytes = 511

    /// Creates a codec; the default limits are safe for C++ peers. Traps on a limit out of range.
    public init(
        maxFrameBytes: Int = 4 << 20, checksum: Checksum = .none, maxErrorInfoBytes: Int = 511
    ) {
        precondition(
            maxFrameBytes >= TinyPBFrame.overheadBytes && maxFrameBytes <= Int(Int32.max),
            "TinyPBCodec: maxFrameBytes is 26 to 2147483647")
        precondition(maxErrorInfoBytes >= 0, "TinyPBCodec: maxErrorInfoBytes is never negative")
        self.maxFrameBytes = maxFrameBytes
        self.checksum = checksum
        self.maxErrorInfoBytes = maxErrorInfoBytes
    }

    /// Inspects the start of a stream. Each length field is checked as soon as it is complete, before
    /// it is used.
    @inlinable @inline(__always)
    public func step(_ bytes: RawSpan) throws(FrameError) -> FrameStep<TinyPBFrame> {
        let available = bytes.byteCount
        if available > 0 { try checkMarker(bytes, at: 0, is: 0x02, .startMarker) }
        guard available >= 5 else { return .needMore(atLeast: 5) }
        let length = Int(bytes.loadBigEndian(1, as: Int32.self))
        guard length >= TinyPBFrame.overheadBytes, length <= maxFrameBytes else {
            throw FrameError(
                .frameLength, at: 1, found: Int64(length),
                allowed: Int64(TinyPBFrame.overheadBytes)...Int64(maxFrameBytes))
        }
        // Bytes that remain for the four variable fields.
        var remaining = length - TinyPBFrame.overheadBytes
        guard let messageID = try field(bytes, lengthAt: 5, &remaining, .messageIDLength),
            let methodName = try field(
                bytes, lengthAt: messageID.upperBound, &remaining, .methodNameLength),
            let errorInfo = try field(
                bytes, lengthAt: methodName.upperBound + 4, &remaining, .errorInfoLength),
            available >= length
        else { return .needMore(atLeast: length) }
        try checkMarker(bytes, at: length - 1, is: 0x03, .endMarker, messageID: messageID)
        try verifyChecksum(bytes, length: length, messageID: messageID)
        let frame = TinyPBFrame(
            messageID: messageID, methodName: methodName,
            errorCode: bytes.loadBigEndian(methodName.upperBound), errorInfo: errorInfo,
            payload: errorInfo.upperBound..<(length - 5))
        return .frame(frame, byteCount: length)
    }

    /// Returns the range of the field after the length at `offset`; nil if the length is incomplete.
    @inlinable
    func field(
        _ bytes: RawSpan, lengthAt offset: Int, _ remaining: inout Int, _ rule: FrameError.Rule
    ) throws(FrameError) -> Range<Int>? {
        guard offset + 4 <= bytes.byteCount else { return nil }
        let count = Int(bytes.loadBigEndian(offset, as: Int32.self))
        guard count >= 0, count <= remaining else {
            throw FrameError(rule, at: offset, found: Int64(count), allowed: 0...Int64(remaining))
        }
        remaining -= count
        return (offset + 4)..<(offset + 4 + count)
    }

    @inlinable
    func checkMarker(
        _ bytes: RawSpan, at offset: Int, is marker: UInt8, _ rule: FrameError.Rule,
        messageID: Range<Int>? = nil
    ) throws(FrameError) {
        let found = bytes.loadBigEndian(offset, as: UInt8.self)
        if found != marker {
            throw FrameError(
                rule, at: offset, found: Int64(found), allowed: Int64(marker)...Int64(marker),
                messageID: messageID)
        }
    }

    @inlinable @inline(__always)
    func verifyChecksum(
        _ bytes: RawSpan, length: Int, messageID: Range<Int>
    ) throws(FrameError) {
        if checksum == .none { return }
        let found = bytes.loadBigEndian(length - 5, as: UInt32.self)
        if found == 1, checksum == .sent { return }
        try verify(found, bytes, length: length, messageID: messageID)
    }

    @usableFromInline
    func verify(
        _ found: UInt32, _ bytes: RawSpan, length: Int, messageID: Range<Int>
    ) throws(FrameError) {
        let expected = Self.checksum(of: bytes.extracting(1..<(length - 5)))
        if found != expected {
            throw FrameError(
                .checksum, at: length - 5, found: Int64(found),
                allowed: Int64(expected)...Int64(expected), messageID: messageID)
        }
    }

    /// Returns the CRC32C of `bytes`, or 2 if that is 1, since 1 means "not checked".
    @usableFromInline
    static func checksum(of bytes: RawSpan) -> UInt32 {
        let sum = CRC32C.checksum(bytes)
        return sum == 1 ? 2 : sum
    }
}

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
    /// - Parameter bytesElsewhere: bytes of the message that are not in the buffer, and will be sent
    ///   in their place. Default 0; more only where no checksum is sent.
    /// - Throws: `FrameError` (frame length) if the frame is longer than `maxFrameBytes`; the frame is
    ///   then removed from the buffer.
    @inlinable
    public func finish(
        _ start: Int, in buffer: inout ByteBuffer, bytesElsewhere: Int = 0
    ) throws(FrameError) {
        let length = buffer.readableBytes - start + 5 + bytesElsewhere
        guard length <= maxFrameBytes else {
            buffer.truncate(to: start)
            throw FrameError(
                .frameLength, at: 1, found: Int64(length),
                allowed: Int64(TinyPBFrame.overheadBytes)...Int64(maxFrameBytes))
        }
        buffer.set(bigEndian: UInt32(truncatingIfNeeded: length), at: start + 1)
        var sum: UInt32 = 1
        if checksum != .none {
            precondition(bytesElsewhere == 0, "TinyPBCodec: a checksum needs all bytes")
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
