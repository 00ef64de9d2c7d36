/// Finds the headers of the frames in a stream of bytes, wherever it is torn. A pure value.
///
/// nghttp2 does not report frames that it ignores: those of unknown types, and CONTINUATION and DATA of
/// streams that it has refused. A limit must count them, too.
struct FrameScanner {
    /// The header of a frame (RFC 9113, 4.1).
    struct Header: Equatable {
        var length = 0
        var type: UInt8 = 0
        var flags: UInt8 = 0
        var stream: UInt32 = 0
    }

    static let headerBytes = 9
    /// Bytes before the next header: of the preface of a client, or the payload of a frame.
    private var skipped: Int
    /// The bytes of a header that has begun, the first one highest.
    private var header: (high: UInt64, last: UInt8) = (0, 0)
    private var headerCount = 0

    init(skipping preface: Int) { skipped = preface }

    /// Returns the next header that ends in `bytes` from `offset` on, and sets `offset` behind it; nil:
    /// the bytes are used up.
    mutating func next(_ bytes: RawSpan, from offset: inout Int) -> Header? {
        while true {
            let left = bytes.byteCount - offset
            if skipped > 0 {
                let count = min(skipped, left)
                skipped -= count
                offset += count
                if skipped > 0 || offset == bytes.byteCount { return nil }
                continue
            }
            if left == 0 { return nil }
            if headerCount == 0 && left >= Self.headerBytes {
                // SAFETY: nine bytes from the offset on lie within the span.
                let high = unsafe UInt64(
                    bigEndian: bytes.unsafeLoadUnaligned(
                        fromUncheckedByteOffset: offset, as: UInt64.self))
                let last = unsafe bytes.unsafeLoad(
                    fromUncheckedByteOffset: offset + 8, as: UInt8.self)
                offset += Self.headerBytes
                return ended(high, last)
            }
            // SAFETY: there is at least one byte from the offset on.
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
            offset += 1
            headerCount += 1
            if headerCount < Self.headerBytes {
                header.high = header.high << 8 | UInt64(byte)
            } else {
                headerCount = 0
                return ended(header.high, byte)
            }
        }
    }

    private mutating func ended(_ high: UInt64, _ last: UInt8) -> Header {
        let found = Header(
            length: Int(high >> 40), type: UInt8(truncatingIfNeeded: high >> 32),
            flags: UInt8(truncatingIfNeeded: high >> 24),
            stream: UInt32(truncatingIfNeeded: high << 8 | UInt64(last)) & 0x7FFF_FFFF)
        skipped = found.length
        header = (0, 0)
        return found
    }
}
