import RocketBase

/// The value of grpc-timeout: 1 to 8 digits and a unit.
enum GRPCTimeout {
    private static let most = 99_999_999

    /// Parses a value.
    ///
    /// - Returns: milliseconds, rounded up so that no deadline is earlier than the caller's; nil for
    ///   an invalid value.
    static func milliseconds(_ value: RawSpan) -> Int64? {
        guard value.byteCount >= 2, value.byteCount <= 9,
            let number = value.extracting(first: value.byteCount - 1).decimal
        else { return nil }
        return switch value.byte(value.byteCount - 1) {
        case UInt8(ascii: "H"): Int64(number) * 3_600_000
        case UInt8(ascii: "M"): Int64(number) * 60_000
        case UInt8(ascii: "S"): Int64(number) * 1000
        case UInt8(ascii: "m"): Int64(number)
        case UInt8(ascii: "u"): (Int64(number) + 999) / 1000
        case UInt8(ascii: "n"): (Int64(number) + 999_999) / 1_000_000
        default: nil
        }
    }

    /// Returns the value for so many milliseconds: in the smallest unit that has no more than eight
    /// digits, rounded up. Less than a millisecond is sent as one, since gRPC knows no 0.
    static func text(milliseconds: Int64) -> String {
        let value = Int(clamping: max(1, milliseconds))
        if value <= most { return "\(value)m" }
        for (unit, size) in [("S", 1000), ("M", 60_000), ("H", 3_600_000)] {
            let number = value / size + (value % size == 0 ? 0 : 1)
            if number <= most { return "\(number)\(unit)" }
        }
        return "\(most)H"
    }
}
