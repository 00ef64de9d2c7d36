import Tracing

/// The place of a span in a trace: what W3C's `traceparent` and `tracestate` say. A value.
struct TraceContext: Hashable, Sendable {
    /// The higher and the lower half of the trace's id; not both 0.
    var traceID: (high: UInt64, low: UInt64) {
        get { (high, low) }
        set { (high, low) = newValue }
    }
    private var high: UInt64
    private var low: UInt64
    /// Not 0.
    var spanID: UInt64
    /// The flags: `sampled`, and whether the lower 7 bytes of the trace's id are random.
    var flags: UInt8
    /// The rest of `tracestate`, as it came; empty: there is none.
    var state = ""

    static let sampled: UInt8 = 1
    static let random: UInt8 = 2

    init(traceID: (high: UInt64, low: UInt64), spanID: UInt64, flags: UInt8) {
        (high, low) = traceID
        self.spanID = spanID
        self.flags = flags
    }

    /// Whether the spans of the trace are exported.
    var isSampled: Bool { flags & Self.sampled != 0 }
}

// MARK: - W3C's fields

extension TraceContext {
    static let parentKey = "traceparent"
    static let stateKey = "tracestate"
    /// A longer `tracestate` is not passed on.
    private static let maxStateBytes = 512

    /// Reads `traceparent`, and `tracestate` if it is there.
    ///
    /// - Returns: nil if `traceparent` is not of its form, as version 00 has it; of later versions what
    ///   follows is ignored.
    init?(parent: String, state: String?) {
        let bytes = Array(parent.utf8.prefix(56))
        guard bytes.count >= 55, bytes[2] == Self.dash, bytes[35] == Self.dash,
            bytes[52] == Self.dash, bytes.count == 55 || bytes[55] == Self.dash,
            let version = Self.number(bytes[0..<2]), version != 0xFF,
            version != 0 || bytes.count == 55, let high = Self.number(bytes[3..<19]),
            let low = Self.number(bytes[19..<35]), let span = Self.number(bytes[36..<52]),
            let flags = Self.number(bytes[53..<55]), high | low != 0, span != 0
        else { return nil }
        self.init(
            traceID: (high, low), spanID: span,
            flags: UInt8(truncatingIfNeeded: flags) & (Self.sampled | Self.random))
        if let state, state.utf8.count <= Self.maxStateBytes,
            state.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F })
        {
            self.state = state
        }
    }

    /// `traceparent`.
    var parent: String {
        "00-\(Self.hex(high))\(Self.hex(low))-\(Self.hex(spanID))-0\(String(flags, radix: 16))"
    }

    private static let dash = UInt8(ascii: "-")

    /// Upper-case digits are not allowed.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var result: UInt64 = 0
        for digit in digits {
            switch digit {
            case 0x30...0x39: result = result << 4 | UInt64(digit - 0x30)
            case 0x61...0x66: result = result << 4 | UInt64(digit - 0x61 + 10)
            default: return nil
            }
        }
        return result
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

extension ServiceContext {
    private enum Key: ServiceContextKey {
        typealias Value = TraceContext
        static var nameOverride: String? { "otlp" }
    }

    /// The span that is current, or the remote one that a call has come from.
    var trace: TraceContext? {
        get { self[Key.self] }
        set { self[Key.self] = newValue }
    }
}
