/// Text with a fixed number of bits per character (RFC 4648), without padding. A value.
struct Radix {
    private let bits: Int
    private let alphabet: [UInt8]

    /// Section 6.
    static let base32 = Radix(bits: 5, alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    /// Section 5.
    static let base64URL = Radix(
        bits: 6, alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    private init(bits: Int, alphabet: String) {
        self.bits = bits
        self.alphabet = Array(alphabet.utf8)
    }

    func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var (pending, count) = (0, 0)
        for byte in bytes {
            pending = (pending << 8 | Int(byte)) & 0xFFFF
            count += 8
            while count >= bits {
                count -= bits
                text.append(alphabet[pending >> count & (1 << bits - 1)])
            }
        }
        if count > 0 { text.append(alphabet[pending << (bits - count) & (1 << bits - 1)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Returns nil for a character of another alphabet, and for bits behind the last byte that are not
    /// 0.
    func decode(_ text: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        var (pending, count) = (0, 0)
        for character in text {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            pending = (pending << bits | value) & 0xFFFF
            count += bits
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> count))
            }
        }
        return count < bits && pending & (1 << count - 1) == 0 ? bytes : nil
    }
}
