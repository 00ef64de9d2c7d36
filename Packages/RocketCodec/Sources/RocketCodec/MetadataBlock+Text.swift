import RocketBase

// Decodes and encodes the text and numbers of a block.

extension MetadataBlock {
    static func equals(_ bytes: RawSpan, _ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        // SAFETY: a StaticString's bytes are never freed, and the index is below its count.
        return range.allSatisfy { index in
            unsafe bytes.loadBigEndian(index, as: UInt8.self)
                == text.utf8Start[index - range.lowerBound]
        }
    }

    /// Returns a key; nil for an invalid one.
    static func text(_ bytes: RawSpan, _ range: Range<Int>) -> String? {
        guard !range.isEmpty else { return nil }
        for index in range where !Metadata.isKeyByte(bytes.loadBigEndian(index)) { return nil }
        return decode(bytes, range)
    }

    /// Decodes a percent-encoded value; nil for an invalid escape or invalid UTF-8.
    static func decode(_ bytes: RawSpan, _ range: Range<Int>) -> String? {
        var plain: [UInt8] = []
        plain.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            var byte: UInt8 = bytes.loadBigEndian(index)
            index += 1
            if byte == UInt8(ascii: "%") {
                guard index + 2 <= range.upperBound,
                    let high = hexValue(bytes.loadBigEndian(index)),
                    let low = hexValue(bytes.loadBigEndian(index + 1))
                else { return nil }
                byte = high << 4 | low
                index += 2
            }
            plain.append(byte)
        }
        return String(validating: plain, as: UTF8.self)
    }

    static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// Parses a number of digits only, 0 to Int64.max; nil for any other text.
    static func decimal(_ bytes: RawSpan, _ range: Range<Int>) -> Int64? {
        if range.isEmpty { return nil }
        var value: Int64 = 0
        for index in range {
            let digit = bytes.loadBigEndian(index, as: UInt8.self) &- UInt8(ascii: "0")
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int64(digit))
            if digit > 9 || overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// Appends the digits of `value`, which must be 0 or more.
    static func appendDecimal(_ value: Int64, _ buffer: inout ByteBuffer) {
        var divisor: Int64 = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            buffer.append(byte: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    /// Appends `text`, in which all but RFC 3986's unreserved characters are escaped.
    static func appendPercentEncoded(_ text: String, _ buffer: inout ByteBuffer) {
        func hex(_ nibble: UInt8) -> UInt8 {
            nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") + nibble - 10
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                buffer.append(byte: byte)
            default:
                buffer.append(byte: UInt8(ascii: "%"))
                buffer.append(byte: hex(byte >> 4))
                buffer.append(byte: hex(byte & 15))
            }
        }
    }
}
