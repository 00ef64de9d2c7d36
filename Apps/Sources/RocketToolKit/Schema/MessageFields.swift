/// The fields of an encoded message that contain bytes: texts and messages. Others are skipped. For
/// the few messages of reflection, which are in no generated code that this module could use. A value.
struct MessageFields {
    private var fields: [(number: Int, bytes: ArraySlice<UInt8>)] = []

    /// - Returns: nil for bytes that are no message.
    init?(_ message: some Sequence<UInt8>) {
        let bytes = Array(message)
        var at = 0
        func varint() -> UInt64? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while at < bytes.count, shift < 64 {
                let byte = bytes[at]
                at += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            return nil
        }
        while at < bytes.count {
            guard let key = varint() else { return nil }
            switch key & 7 {
            case 0: if varint() == nil { return nil }
            case 1: at += 8
            case 2:
                guard let count = varint(), count <= UInt64(bytes.count - at) else { return nil }
                fields.append((Int(truncatingIfNeeded: key >> 3), bytes[at..<(at + Int(count))]))
                at += Int(count)
            case 5: at += 4
            default: return nil
            }
        }
        if at > bytes.count { return nil }
    }

    /// All fields with that number, in their order.
    subscript(number: Int) -> [ArraySlice<UInt8>] {
        fields.filter { $0.number == number }.map(\.bytes)
    }

    /// The texts of all fields with that number.
    func texts(_ number: Int) -> [String] {
        self[number].map { String(decoding: $0, as: UTF8.self) }
    }

    /// Returns a message with one field, a text.
    static func message(_ number: UInt8, _ text: String) -> [UInt8] {
        var count = text.utf8.count
        var bytes = [number << 3 | 2]
        while count >= 0x80 {
            bytes.append(UInt8(count & 0x7F) | 0x80)
            count >>= 7
        }
        return bytes + [UInt8(count)] + text.utf8
    }
}
