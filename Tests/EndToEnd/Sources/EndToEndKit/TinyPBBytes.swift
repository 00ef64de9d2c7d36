/// A TinyPB frame, encoded and decoded by the table in docs/wire-format.md, independently of the
/// product.
public struct TinyPBBytes: Hashable, Sendable {
    /// msg_id.
    public var messageID: String
    /// `Order.makeOrder`
    public var method: String
    /// 0 is success.
    public var errorCode: Int32 = 0
    /// The text of the error, or metadata.
    public var errorInfo: [UInt8] = []
    /// The serialized message.
    public var payload: [UInt8] = []

    /// A request.
    public init(_ method: String, id: String, payload: [UInt8] = [], info: [UInt8] = []) {
        messageID = id
        self.method = method
        self.payload = payload
        errorInfo = info
    }

    /// Decodes a whole frame; nil if it is malformed.
    public init?(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes[...])
        guard reader.byte() == 2, reader.number() == bytes.count,
            let id = reader.field(), let method = reader.field(),
            let code = reader.number(), let info = reader.field(), reader.bytes.count >= 5,
            bytes.last == 3
        else { return nil }
        messageID = String(decoding: id, as: UTF8.self)
        self.method = String(decoding: method, as: UTF8.self)
        errorCode = Int32(truncatingIfNeeded: code)
        errorInfo = Array(info)
        payload = Array(reader.bytes.dropLast(5))
    }

    /// The encoded frame.
    public var bytes: [UInt8] {
        let id = Array(messageID.utf8)
        let name = Array(method.utf8)
        let length = 26 + id.count + name.count + errorInfo.count + payload.count
        return [2] + number(length) + number(id.count) + id + number(name.count) + name
            + number(Int(errorCode)) + number(errorInfo.count) + errorInfo + payload + number(1)
            + [3]
    }

    private func number(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>

        mutating func byte() -> UInt8? { bytes.popFirst() }

        mutating func number() -> Int? {
            guard bytes.count >= 4 else { return nil }
            defer { bytes = bytes.dropFirst(4) }
            return bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        }

        mutating func field() -> ArraySlice<UInt8>? {
            guard let count = number(), bytes.count >= count else { return nil }
            defer { bytes = bytes.dropFirst(count) }
            return bytes.prefix(count)
        }
    }
}

extension TinyPBBytes {
    /// The golden request of docs/wire-format.md: price 100, goods "apple".
    public static let goldenRequest: [UInt8] = unhex(
        """
        02 0000003a 00000008 3939393938383838 0000000f 4f726465722e6d616b654f72646572
        00000000 00000000 086412056170706c65 00000001 03
        """)

    /// `price: 100, goods: "apple"`, serialized.
    public static let applePayload: [UInt8] = unhex("086412056170706c65")

    /// Returns the length-delimited field `number` of the payload as text; nil if it is missing.
    /// Supports the field types of the order messages only: varints and length-delimited fields.
    public func text(_ number: Int) -> String? {
        var rest = payload[...]
        func varint() -> Int {
            var value = 0
            var shift = 0
            while let byte = rest.popFirst() {
                value |= Int(byte & 0x7F) &<< shift
                shift += 7
                if byte < 0x80 || shift > 63 { break }
            }
            return value
        }
        while !rest.isEmpty {
            let key = varint()
            if key & 7 == 2 {
                let count = varint()
                let field = rest.prefix(count)
                rest = rest.dropFirst(field.count)
                if key >> 3 == number { return String(decoding: field, as: UTF8.self) }
            } else if key & 7 == 0 {
                _ = varint()
            } else {
                return nil
            }
        }
        return nil
    }

    /// Decodes hexadecimal text; white space is ignored.
    public static func unhex(_ text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}
