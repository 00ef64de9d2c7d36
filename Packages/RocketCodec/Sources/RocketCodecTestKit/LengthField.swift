/// Where a frame says how long something is: for `DecoderVerifier.verifyLengths`.
public struct LengthField: Hashable, Sendable {
    /// The field's first byte, counted from the frame's.
    public let offset: Int
    /// Bytes of the field: 1 to 8.
    public let width: Int
    /// Whether the highest byte comes first.
    public let isBigEndian: Bool

    /// A field; traps on a width that is not 1 to 8, or a negative offset.
    public init(offset: Int, width: Int, isBigEndian: Bool = true) {
        precondition((1...8).contains(width) && offset >= 0, "LengthField: width is 1 to 8 bytes")
        self.offset = offset
        self.width = width
        self.isBigEndian = isBigEndian
    }

    /// All bits of the field.
    var mask: UInt64 { .max >> UInt64(64 - 8 * width) }

    /// Where each byte stands, the highest first.
    private var places: [Int] {
        let places = Array(offset..<offset + width)
        return isBigEndian ? places : places.reversed()
    }

    func value(in frame: [UInt8]) -> UInt64 {
        places.reduce(0) { $0 << 8 | UInt64(frame[$1]) }
    }

    func set(_ value: UInt64, in frame: inout [UInt8]) {
        for (index, place) in places.reversed().enumerated() {
            frame[place] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
        }
    }

    /// Every way to be wrong: 0, 1, -1, lowest, highest, off by one, as long as the frame and what
    /// follows the field, and what overflows once the field's end or `others` are added.
    func wrongValues(in frame: [UInt8], others: [UInt64]) -> Set<UInt64> {
        let right = value(in: frame)
        let signedMax = mask >> 1
        let end = UInt64(offset + width)
        let rest = UInt64(frame.count) - end
        var values: Set<UInt64> = [0, 1, mask, mask - 1, signedMax, signedMax + 1, signedMax + 2]
        for near in [right, UInt64(frame.count), rest] {
            values.formUnion([near &- 1, near, near + 1])
        }
        for added in others + [UInt64(offset), end, UInt64(frame.count)] {
            for limit in [mask, signedMax] {
                values.formUnion([limit &- added, limit &- added &+ 1, limit &- added &- 1])
            }
        }
        values = Set(values.map { $0 & mask })
        values.remove(right)
        return values
    }
}
