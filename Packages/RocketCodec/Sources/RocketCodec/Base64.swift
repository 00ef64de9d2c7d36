/// Base64 of RFC 4648, section 4, as gRPC uses it for binary metadata.
enum Base64 {
    /// Returns the base64 of `bytes`, without padding.
    static func encode(_ bytes: [UInt8]) -> String {
        let count = encodedCount(bytes.count)
        var text: [UInt8] = []
        text.reserveCapacity(count)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            var group = UInt32(0)
            for index in start..<(start + 3) {
                group = group << 8 | (index < bytes.count ? UInt32(bytes[index]) : 0)
            }
            for shift in [18, 12, 6, 0] as [UInt32] where text.count < count {
                text.append(digit(UInt8(truncatingIfNeeded: group >> shift & 63)))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The length of the base64 of so many bytes, without padding.
    private static func encodedCount(_ count: Int) -> Int { count / 3 * 4 + [0, 2, 3][count % 3] }

    /// Decodes base64 with its whole padding, or without any. Returns nil for any other character, a
    /// length that is not possible, and bits behind the last byte that are not 0.
    static func decode(_ text: String) -> [UInt8]? {
        var digits = [UInt8](text.utf8)
        if digits.last == padding {
            guard digits.count % 4 == 0 else { return nil }
            digits.removeLast()
            if digits.last == padding { digits.removeLast() }
        }
        guard digits.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3 + 2)
        var group = UInt32(0)
        var bits = 0
        for digit in digits {
            guard let value = value(of: digit) else { return nil }
            group = (group << 6 | UInt32(value)) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(bits)))
            }
        }
        return group & (1 << UInt32(bits) - 1) == 0 ? bytes : nil
    }

    private static let padding = UInt8(ascii: "=")

    private static func digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
