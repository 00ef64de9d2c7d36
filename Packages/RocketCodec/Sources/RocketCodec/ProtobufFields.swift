/// Walks through the fields of one serialized protobuf message. Groups are not supported.
struct ProtobufFields {
    enum Value {
        case number(UInt64)
        /// Of four or eight bytes; no field that is read here has such a value.
        case fixed
        case bytes(Range<Int>)
    }

    private var position: Int
    private let end: Int
    private var isBroken = false

    /// - Parameter range: where the message is in the bytes that `next` gets.
    init(_ range: Range<Int>) {
        position = range.lowerBound
        end = range.upperBound
    }

    /// Whether all fields have been read and were well-formed.
    var isAtEnd: Bool { position == end && !isBroken }

    /// Returns the next field; nil at the end, and where the message is malformed.
    mutating func next(in bytes: RawSpan) -> (number: UInt64, value: Value)? {
        if position == end || isBroken { return nil }
        isBroken = true
        guard let tag = varint(bytes), tag >> 3 > 0, tag <= UInt32.max else { return nil }
        let value: Value
        switch tag & 7 {
        case 0:
            guard let number = varint(bytes) else { return nil }
            value = .number(number)
        case 1, 5:
            let count = tag & 7 == 1 ? 8 : 4
            guard end - position >= count else { return nil }
            value = .fixed
            position += count
        case 2:
            guard let count = varint(bytes), count <= UInt64(end - position) else { return nil }
            value = .bytes(position..<(position + Int(count)))
            position += Int(count)
        default: return nil
        }
        isBroken = false
        return (tag >> 3, value)
    }

    private mutating func varint(_ bytes: RawSpan) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard position < end else { return nil }
            let byte = bytes.loadBigEndian(position, as: UInt8.self)
            position += 1
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
