import RocketSystem

/// The wire of the C++ frameworks rocket and tinyrpc; see docs/wire-format.md.
@frozen
public struct TinyPBCodec: FrameCodec, Hashable {
    /// How check_sum is written and read.
    @frozen
    public enum Checksum: Sendable {
        /// Sends 1 ("not checked"), verifies what a peer sends: the default, as C++ peers do.
        case none
        /// Sends CRC32C, verifies what a peer sends.
        case sent
        /// Sends CRC32C and refuses frames without.
        case required
    }

    /// The longest frame taken or made, in bytes, markers included. 26 to Int32.max;
    /// default 4 MiB.
    public let maxFrameBytes: Int
    /// What is done about check_sum.
    public let checksum: Checksum
    /// The longest err_info sent; longer text is cut at a UTF-8 boundary. C++ peers hold 512.
    public let maxErrorInfoBytes: Int

    /// The longest msg_id that a C++ peer survives (tinyrpc holds 50 bytes).
    public static let peerSafeMessageIDBytes = 49
    /// The longest method_name that a C++ peer survives.
    public static let peerSafeMethodNameBytes = 511

    /// A codec with limits that C++ peers survive. Traps on limits out of their range.
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

    /// Each length is checked as soon as it is there, before anything relies on it.
    @inlinable
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
        // What the four variable fields may still take.
        var room = length - TinyPBFrame.overheadBytes
        guard let messageID = try field(bytes, lengthAt: 5, &room, .messageIDLength),
            let methodName = try field(
                bytes, lengthAt: messageID.upperBound, &room, .methodNameLength),
            let errorInfo = try field(
                bytes, lengthAt: methodName.upperBound + 4, &room, .errorInfoLength),
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

    /// A length at `offset` and the field after it; nil while the length is not there.
    @inlinable
    func field(
        _ bytes: RawSpan, lengthAt offset: Int, _ room: inout Int, _ rule: FrameError.Rule
    ) throws(FrameError) -> Range<Int>? {
        guard offset + 4 <= bytes.byteCount else { return nil }
        let count = Int(bytes.loadBigEndian(offset, as: Int32.self))
        guard count >= 0, count <= room else {
            throw FrameError(rule, at: offset, found: Int64(count), allowed: 0...Int64(room))
        }
        room -= count
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

    @inlinable
    func verifyChecksum(
        _ bytes: RawSpan, length: Int, messageID: Range<Int>
    ) throws(FrameError) {
        let found = bytes.loadBigEndian(length - 5, as: UInt32.self)
        if found == 1, checksum != .required { return }
        let right = Self.checksum(of: bytes.extracting(1..<(length - 5)))
        if found != right {
            throw FrameError(
                .checksum, at: length - 5, found: Int64(found),
                allowed: Int64(right)...Int64(right), messageID: messageID)
        }
    }

    /// CRC32C, with 2 in place of 1, which means "not checked".
    @usableFromInline
    static func checksum(of bytes: RawSpan) -> UInt32 {
        let sum = CRC32C.checksum(bytes)
        return sum == 1 ? 2 : sum
    }
}
