import RocketBase

/// The value of grpc-message: text whose bytes other than printable ASCII, and `%`, are
/// percent-encoded.
enum StatusMessage {
    /// Encodes a text.
    static func encode(_ text: String) -> String {
        if text.utf8.allSatisfy(isPlain) { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 32)
        for byte in text.utf8 {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 15)]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Decodes a value. As gRPC demands, nothing is lost: what is no valid escape stays as it is, and
    /// invalid UTF-8 becomes U+FFFD.
    static func decode(_ value: RawSpan) -> String {
        var plain: [UInt8] = []
        plain.reserveCapacity(value.byteCount)
        var index = 0
        while index < value.byteCount {
            let byte = value.byte(index)
            index += 1
            if byte == UInt8(ascii: "%"), index + 2 <= value.byteCount,
                let high = hexValue(value.byte(index)), let low = hexValue(value.byte(index + 1))
            {
                plain.append(high << 4 | low)
                index += 2
            } else {
                plain.append(byte)
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "%")
    }
}
