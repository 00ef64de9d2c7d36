public import RocketBase

/// Frames that consist of a length field and a payload. The default is the format of the chat: 4
/// bytes, big-endian.
@frozen
public struct LengthFieldCodec: FrameCodec, Hashable {
    /// Width of the length field, in bytes.
    @frozen
    public enum Width: Int, Sendable, CaseIterable {
        case one = 1
        case two = 2
        case four = 4
        case eight = 8
    }

    /// Byte order of the length field.
    @frozen
    public enum Endianness: Sendable, CaseIterable { case big, little }

    /// Width of the length field.
    public let width: Width
    /// Byte order of the length field.
    public let endianness: Endianness
    /// Longest payload that is decoded or encoded, in bytes; default 64 KiB.
    public let maxPayloadBytes: Int

    /// Creates a codec; the defaults are those of the chat. Traps on a negative limit.
    public init(
        width: Width = .four, endianness: Endianness = .big, maxPayloadBytes: Int = 64 << 10
    ) {
        precondition(maxPayloadBytes >= 0, "LengthFieldCodec: a limit is never negative")
        self.width = width
        self.endianness = endianness
        // The length of header and payload must not overflow an Int.
        self.maxPayloadBytes = min(maxPayloadBytes, .max - Width.eight.rawValue)
    }

    /// Returns frames with the range of their payload.
    @inlinable
    public func step(_ bytes: RawSpan) throws(FrameError) -> FrameStep<Range<Int>> {
        let header = width.rawValue
        guard bytes.byteCount >= header else { return .needMore(atLeast: header) }
        let length = readLength(bytes)
        guard length <= UInt64(maxPayloadBytes) else {
            throw FrameError(
                .frameLength, at: 0, found: Int64(clamping: length),
                allowed: 0...Int64(maxPayloadBytes))
        }
        let end = header + Int(length)
        return bytes.byteCount < end
            ? .needMore(atLeast: end) : .frame(header..<end, byteCount: end)
    }

    @inlinable
    func readLength(_ bytes: RawSpan) -> UInt64 {
        func read<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_: T.Type) -> UInt64 {
            let value = bytes.loadBigEndian(0, as: T.self)
            return UInt64(endianness == .big ? value : value.byteSwapped)
        }
        return switch width {
        case .one: read(UInt8.self)
        case .two: read(UInt16.self)
        case .four: read(UInt32.self)
        case .eight: read(UInt64.self)
        }
    }

    /// Appends a frame with a copy of `payload`.
    ///
    /// - Throws: `FrameError` if the payload is longer than `maxPayloadBytes` or than the length
    ///   field can express.
    @inlinable
    public func encode(_ payload: RawSpan, into buffer: inout ByteBuffer) throws(FrameError) {
        let count = UInt64(payload.byteCount)
        let widest = width == .eight ? UInt64(Int.max) : (1 << (8 * UInt64(width.rawValue))) - 1
        let limit = min(UInt64(maxPayloadBytes), widest)
        guard count <= limit else {
            throw FrameError(
                .frameLength, at: 0, found: Int64(count), allowed: 0...Int64(limit))
        }
        func write<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
            buffer.append(bigEndian: endianness == .big ? value : value.byteSwapped)
        }
        switch width {
        case .one: write(UInt8(count))
        case .two: write(UInt16(count))
        case .four: write(UInt32(count))
        case .eight: write(count)
        }
        buffer.append(payload)
    }
}
