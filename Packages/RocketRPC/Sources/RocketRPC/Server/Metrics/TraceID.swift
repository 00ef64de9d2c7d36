import RocketCodec

/// The id of a trace; zero: there is none. A value.
struct TraceID: Hashable {
    var high: UInt64 = 0
    var low: UInt64 = 0

    var isZero: Bool { high == 0 && low == 0 }

    /// 32 hexadecimal digits; nil: there is none.
    var text: String? {
        isZero ? nil : Self.digits(high) + Self.digits(low)
    }

    /// 16 hexadecimal digits.
    static func digits(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// A W3C `traceparent`, such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. A value.
struct TraceParent: Hashable {
    let traceID: TraceID
    /// The id of the caller's span; not 0.
    let span: UInt64
    /// Whether the caller records the trace.
    let isSampled: Bool

    /// The text of version 00; later versions append to it.
    private static let byteCount = 55
    /// The size of a block of metadata that has one, at least.
    static let leastMetadataBytes = 18 + byteCount

    /// 16 hexadecimal digits.
    var spanID: String { TraceID.digits(span) }

    /// Reads it without memory of its own; nil for bytes that are none.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= Self.byteCount,
            bytes.byteCount == Self.byteCount || Self.byte(bytes, 55) == UInt8(ascii: "-"),
            let version = Self.number(bytes, 0..<2), version != 0xFF,
            version != 0 || bytes.byteCount == Self.byteCount,
            let high = Self.number(bytes, 3..<19), let low = Self.number(bytes, 19..<35),
            let span = Self.number(bytes, 36..<52), span != 0,
            let flags = Self.number(bytes, 53..<55)
        else { return nil }
        for dash in [2, 35, 52] where Self.byte(bytes, dash) != UInt8(ascii: "-") { return nil }
        self.init(
            traceID: TraceID(high: high, low: low), span: span, isSampled: flags & 1 == 1)
        if traceID.isZero { return nil }
    }

    init(traceID: TraceID, span: UInt64, isSampled: Bool) {
        (self.traceID, self.span, self.isSampled) = (traceID, span, isSampled)
    }

    /// That of a call's metadata, as it was received.
    init?(in metadata: RawSpan) {
        guard metadata.byteCount >= Self.leastMetadataBytes,
            let range = MetadataBlock.value(of: "traceparent", in: metadata)
        else { return nil }
        self.init(metadata.extracting(range))
    }

    /// Lower-case hexadecimal digits, at most 16.
    private static func number(_ bytes: RawSpan, _ range: Range<Int>) -> UInt64? {
        var value: UInt64 = 0
        for index in range {
            let digit: UInt8
            switch byte(bytes, index) {
            case let byte where byte >= 0x30 && byte <= 0x39: digit = byte - 0x30
            case let byte where byte >= 0x61 && byte <= 0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    private static func byte(_ bytes: RawSpan, _ index: Int) -> UInt8 {
        // SAFETY: the caller has checked that the bytes are there.
        unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
    }
}
