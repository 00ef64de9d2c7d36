public import FoundationEssentials
public import SwiftProtobuf

// Single values: non-optional for proto3, optional for proto2. If the wire type is not the field's,
// the value is unchanged, and the field is kept as an unknown field.

extension _ProtobufReader {
    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularInt32Field(value: inout Int32) throws {
        guard wireType == Wire.varint else { return }
        value = Int32(truncatingIfNeeded: try varint())
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularInt32Field(value: inout Int32?) throws {
        guard wireType == Wire.varint else { return }
        value = Int32(truncatingIfNeeded: try varint())
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularInt64Field(value: inout Int64) throws {
        guard wireType == Wire.varint else { return }
        value = Int64(bitPattern: try varint())
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularInt64Field(value: inout Int64?) throws {
        guard wireType == Wire.varint else { return }
        value = Int64(bitPattern: try varint())
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularUInt32Field(value: inout UInt32) throws {
        guard wireType == Wire.varint else { return }
        value = UInt32(truncatingIfNeeded: try varint())
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularUInt32Field(value: inout UInt32?) throws {
        guard wireType == Wire.varint else { return }
        value = UInt32(truncatingIfNeeded: try varint())
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularUInt64Field(value: inout UInt64) throws {
        guard wireType == Wire.varint else { return }
        value = try varint()
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularUInt64Field(value: inout UInt64?) throws {
        guard wireType == Wire.varint else { return }
        value = try varint()
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularSInt32Field(value: inout Int32) throws {
        guard wireType == Wire.varint else { return }
        value = ZigZag.decoded(UInt32(truncatingIfNeeded: try varint()))
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularSInt32Field(value: inout Int32?) throws {
        guard wireType == Wire.varint else { return }
        value = ZigZag.decoded(UInt32(truncatingIfNeeded: try varint()))
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularSInt64Field(value: inout Int64) throws {
        guard wireType == Wire.varint else { return }
        value = ZigZag.decoded(try varint())
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularSInt64Field(value: inout Int64?) throws {
        guard wireType == Wire.varint else { return }
        value = ZigZag.decoded(try varint())
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularFixed32Field(value: inout UInt32) throws {
        guard wireType == Wire.fixed32 else { return }
        value = try fixed(UInt32.self)
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularFixed32Field(value: inout UInt32?) throws {
        guard wireType == Wire.fixed32 else { return }
        value = try fixed(UInt32.self)
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularFixed64Field(value: inout UInt64) throws {
        guard wireType == Wire.fixed64 else { return }
        value = try fixed(UInt64.self)
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularFixed64Field(value: inout UInt64?) throws {
        guard wireType == Wire.fixed64 else { return }
        value = try fixed(UInt64.self)
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularSFixed32Field(value: inout Int32) throws {
        guard wireType == Wire.fixed32 else { return }
        value = try fixed(Int32.self)
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularSFixed32Field(value: inout Int32?) throws {
        guard wireType == Wire.fixed32 else { return }
        value = try fixed(Int32.self)
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularSFixed64Field(value: inout Int64) throws {
        guard wireType == Wire.fixed64 else { return }
        value = try fixed(Int64.self)
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularSFixed64Field(value: inout Int64?) throws {
        guard wireType == Wire.fixed64 else { return }
        value = try fixed(Int64.self)
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularFloatField(value: inout Float) throws {
        guard wireType == Wire.fixed32 else { return }
        value = Float(bitPattern: try fixed(UInt32.self))
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularFloatField(value: inout Float?) throws {
        guard wireType == Wire.fixed32 else { return }
        value = Float(bitPattern: try fixed(UInt32.self))
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularDoubleField(value: inout Double) throws {
        guard wireType == Wire.fixed64 else { return }
        value = Double(bitPattern: try fixed(UInt64.self))
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularDoubleField(value: inout Double?) throws {
        guard wireType == Wire.fixed64 else { return }
        value = Double(bitPattern: try fixed(UInt64.self))
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularBoolField(value: inout Bool) throws {
        guard wireType == Wire.varint else { return }
        value = try varint() != 0
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularBoolField(value: inout Bool?) throws {
        guard wireType == Wire.varint else { return }
        value = try varint() != 0
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularStringField(value: inout String) throws {
        guard wireType == Wire.lengthDelimited else { return }
        value = try string()
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularStringField(value: inout String?) throws {
        guard wireType == Wire.lengthDelimited else { return }
        value = try string()
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularBytesField(value: inout Data) throws {
        guard wireType == Wire.lengthDelimited else { return }
        value = try data()
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeSingularBytesField(value: inout Data?) throws {
        guard wireType == Wire.lengthDelimited else { return }
        value = try data()
        isTaken = true
    }
}

extension _ProtobufReader {
    /// Part of `Decoder`. For an unknown case the value is unchanged.
    @inlinable
    public mutating func decodeSingularEnumField<E: Enum>(value: inout E) throws
    where E.RawValue == Int {
        guard wireType == Wire.varint, let new: E = try enumCase() else { return }
        value = new
        isTaken = true
    }

    /// Part of `Decoder`. For an unknown case the value is unchanged.
    @inlinable
    public mutating func decodeSingularEnumField<E: Enum>(value: inout E?) throws
    where E.RawValue == Int {
        guard wireType == Wire.varint, let new: E = try enumCase() else { return }
        value = new
        isTaken = true
    }

    @inlinable
    mutating func enumCase<E: Enum>() throws -> E? where E.RawValue == Int {
        E(rawValue: Int(Int32(truncatingIfNeeded: try varint())))
    }

    /// Decodes UTF-8 text. Invalid UTF-8 is left to swift-protobuf, which refuses it.
    @usableFromInline
    mutating func string() throws -> String {
        let bytes = unsafe try lengthDelimited()
        // Validation is several times slower than copying, and most text is ASCII.
        if unsafe isShortASCII(bytes) {
            return unsafe String(unsafeUninitializedCapacity: bytes.count) { room in
                unsafe UnsafeMutableRawBufferPointer(room).copyMemory(from: bytes)
                return bytes.count
            }
        }
        guard
            let text = unsafe String(
                validating: bytes.assumingMemoryBound(to: UInt8.self), as: UTF8.self)
        else { throw _ProtobufFallback() }
        return text
    }

    @usableFromInline
    mutating func data() throws -> Data { unsafe Data(try lengthDelimited()) }
}

/// Whether the bytes are ASCII and not many. Of many, it would be one more pass over them: the
/// standard library validates each text, and does that fast from some hundred bytes on.
private func isShortASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let count = bytes.count
    var seen: UInt64 = 0
    if count >= 8 {
        if count > 512 { return false }
        var offset = 0
        while offset &+ 8 < count {
            seen |= unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        // The last word overlaps the previous word.
        seen |= unsafe bytes.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    } else {
        for index in 0..<count { seen |= UInt64(unsafe bytes[index]) }
    }
    return seen & 0x8080_8080_8080_8080 == 0
}

/// The ZigZag encoding of sint32 and sint64, in which numbers of small magnitude are short.
@usableFromInline
enum ZigZag {
    @inlinable
    static func decoded(_ value: UInt32) -> Int32 {
        Int32(bitPattern: (value &>> 1) ^ (0 &- (value & 1)))
    }

    @inlinable
    static func decoded(_ value: UInt64) -> Int64 {
        Int64(bitPattern: (value &>> 1) ^ (0 &- (value & 1)))
    }

    @inlinable
    static func encoded(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    }
}
