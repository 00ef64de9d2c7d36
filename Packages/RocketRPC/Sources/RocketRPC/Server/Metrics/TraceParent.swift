import RocketCodec

/// What a W3C `traceparent` says, such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. A
/// value.
struct TraceParent: Hashable {
    // The two halves of the trace's id; not both 0.
    var high: UInt64
    var low: UInt64
    /// The id of the caller's span; not 0.
    var span: UInt64
    /// Whether the caller has its trace exported.
    var isSampled: Bool

    /// The size of a block of metadata that has one, at least.
    static let leastMetadataBytes = "rkm1\ntraceparent=\n".utf8.count + 55

    init(high: UInt64, low: UInt64, span: UInt64, isSampled: Bool) {
        self.high = high
        self.low = low
        self.span = span
        self.isSampled = isSampled
    }

    /// Reads that of a block of metadata, without allocating; nil if there is none, or none of that form.
    init?(metadata: RawSpan) {
        guard metadata.byteCount >= Self.leastMetadataBytes,
            let range = MetadataBlock.value(of: "traceparent", in: metadata)
        else { return nil }
        self.init(metadata.extracting(range))
    }

    /// Reads the text; what follows, in later versions, is ignored.
    init?(_ text: RawSpan) {
        guard text.byteCount >= 55 else { return nil }
        // SAFETY: the indices are below 55.
        func byte(_ index: Int) -> UInt8 {
            unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self)
        }
        func number(_ range: Range<Int>) -> UInt64? {
            var result: UInt64 = 0
            for index in range {
                switch byte(index) {
                case let digit where digit >= 0x30 && digit <= 0x39:
                    result = result << 4 | UInt64(digit - 0x30)
                case let digit where digit >= 0x61 && digit <= 0x66:
                    result = result << 4 | UInt64(digit - 0x61 + 10)
                default: return nil
                }
            }
            return result
        }
        func isDash(_ index: Int) -> Bool {
            byte(index) == UInt8(ascii: "-")
        }
        guard isDash(2), isDash(35), isDash(52), number(0..<2) != nil,
            let high = number(3..<19), let low = number(19..<35), let span = number(36..<52),
            let flags = number(53..<55), high | low != 0, span != 0
        else { return nil }
        self.init(high: high, low: low, span: span, isSampled: flags & 1 == 1)
    }

    /// 32 hexadecimal digits.
    var traceID: String { Self.hex(high) + Self.hex(low) }
    /// 16 hexadecimal digits.
    var spanID: String { Self.hex(span) }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
