/// A length field of a frame, for `DecoderVerifier.verifyLengths`.
public struct LengthField: Hashable, Sendable {
    /// Offset from the start of the frame, in bytes.
    public let offset: Int
    /// Width of the field, in bytes: 1 to 8.
    public let width: Int
    /// Whether the most significant byte is first; default true.
    public let isBigEndian: Bool

    /// Creates a field. Traps on a width that is not 1 to 8, or on a negative offset.
    public init(offset: Int, width: Int, isBigEndian: Bool = true) {
        precondition((1...8).contains(width) && offset >= 0, "LengthField: width is 1 to 8 bytes")
        self.offset = offset
        self.width = width
        self.isBigEndian = isBigEndian
    }

    /// Largest value of the field.
    var mask: UInt64 { .max >> UInt64(64 - 8 * width) }

    /// Offsets of the bytes, the most significant first.
    private var byteOffsets: [Int] {
        let offsets = Array(offset..<offset + width)
        return isBigEndian ? offsets : offsets.reversed()
    }

    func value(in frame: [UInt8]) -> UInt64 {
        byteOffsets.reduce(0) { $0 << 8 | UInt64(frame[$1]) }
    }

    func set(_ value: UInt64, in frame: inout [UInt8]) {
        for (index, byteOffset) in byteOffsets.reversed().enumerated() {
            frame[byteOffset] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
        }
    }

    /// Returns wrong values: 0, 1, -1, the lowest and the highest, values off by one, the lengths of
    /// the frame and of the part after the field, and values that overflow when the end of the field
    /// or `others` are added.
    func wrongValues(in frame: [UInt8], others: [UInt64]) -> Set<UInt64> {
        let correct = value(in: frame)
        let signedMax = mask >> 1
        let end = UInt64(offset + width)
        let rest = UInt64(frame.count) - end
        var values: Set<UInt64> = [0, 1, mask, mask - 1, signedMax, signedMax + 1, signedMax + 2]
        for near in [correct, UInt64(frame.count), rest] {
            values.formUnion([near &- 1, near, near + 1])
        }
        for added in others + [UInt64(offset), end, UInt64(frame.count)] {
            for limit in [mask, signedMax] {
                values.formUnion([limit &- added, limit &- added &+ 1, limit &- added &- 1])
            }
        }
        values = Set(values.map { $0 & mask })
        values.remove(correct)
        return values
    }
}
