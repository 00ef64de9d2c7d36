public import SwiftProtobuf

// SAFETY: created and released within the closure that provides the bytes; every read is preceded
// by a check against `end`.
/// Decodes a message from bytes in place: the `Decoder` that generated code passes to
/// `decodeMessage`, which the compiler specializes for this type.
///
/// Supports every kind of field except groups and message sets, including unknown fields. For all
/// others and for all invalid input it throws `_ProtobufFallback`, and swift-protobuf decodes the
/// same bytes again: so only swift-protobuf decides which messages are invalid, and with which
/// error.
///
/// Created only by `_RPCMessageCoding`. Must not outlive the bytes: it contains pointers to them.
@frozen @safe
public struct _ProtobufReader {
    @usableFromInline var position: UnsafeRawPointer
    @usableFromInline var end: UnsafeRawPointer
    /// The position of the current field's tag.
    @usableFromInline var fieldStart: UnsafeRawPointer
    @usableFromInline var wireType: UInt32 = 0
    /// Whether the current field's value has been decoded.
    @usableFromInline var isTaken = true
    /// The remaining depth of nested messages, from swift-protobuf's limit.
    @usableFromInline var depthLeft = BinaryDecodingOptions().messageDepthLimit
    /// The unknown fields of the current message, including their tags.
    @usableFromInline var unknown: [UInt8] = []

    /// - Parameter bytes: not empty.
    @inlinable @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, _ start: UnsafeRawPointer) {
        unsafe position = start
        unsafe fieldStart = start
        unsafe end = start + bytes.count
    }

    @usableFromInline
    enum Wire {
        @usableFromInline static let varint: UInt32 = 0
        @usableFromInline static let fixed64: UInt32 = 1
        @usableFromInline static let lengthDelimited: UInt32 = 2
        @usableFromInline static let fixed32: UInt32 = 5
    }
}

// MARK: - Fields

extension _ProtobufReader {
    /// Returns the number of the next field; nil at the end of the message.
    @inlinable
    public mutating func nextFieldNumber() throws -> Int? {
        if !isTaken { try keepUnknownField() }
        guard unsafe position < end else { return nil }
        unsafe fieldStart = position
        let first = unsafe position.load(as: UInt8.self)
        var tag = UInt32(first)
        if first < 0x80 { unsafe position += 1 } else { tag = try longTag() }
        wireType = tag & 7
        // Groups and the two undefined wire types are left to swift-protobuf.
        guard 0b100111 & (1 &<< wireType) != 0, tag > 7 else { throw _ProtobufFallback() }
        isTaken = false
        return Int(tag &>> 3)
    }

    /// Decodes a tag of two to five bytes.
    @usableFromInline
    mutating func longTag() throws -> UInt32 {
        var tag: UInt32 = 0
        for shift in stride(from: UInt32(0), through: 28, by: 7) {
            guard unsafe position < end else { break }
            let byte = unsafe position.load(as: UInt8.self)
            unsafe position += 1
            if shift == 28, byte > 15 { break }
            tag |= UInt32(byte & 0x7F) &<< shift
            if byte < 0x80 { return tag }
        }
        throw _ProtobufFallback()
    }

    /// Appends the current field, which has not been decoded, to `unknown`, including its tag.
    @usableFromInline
    mutating func keepUnknownField() throws {
        try skipField()
        unsafe unknown.append(
            contentsOf: UnsafeRawBufferPointer(start: fieldStart, count: position - fieldStart))
    }

    /// Reads all fields and keeps none: for messages of which only it matters that they are valid.
    ///
    /// - Throws: an error if they are not.
    public mutating func skipFields() throws {
        while try nextFieldNumber() != nil { try skipField() }
    }

    /// Goes to the end of the current field.
    private mutating func skipField() throws {
        // The value may have been read: for example that of an enum without such a case.
        unsafe position = fieldStart
        let tag = try varint()
        switch UInt32(truncatingIfNeeded: tag) & 7 {
        case Wire.varint: _ = try varint()
        case Wire.fixed32: unsafe position = try body(4).end
        case Wire.fixed64: unsafe position = try body(8).end
        default: _ = unsafe try lengthDelimited()
        }
        isTaken = true
    }

    /// Accepts several values of a `oneof`, of which the last one is kept.
    @inlinable
    public mutating func handleConflictingOneOf() throws {}
}

// MARK: - Primitive values

extension _ProtobufReader {
    @inlinable
    mutating func varint() throws -> UInt64 {
        guard unsafe position < end else { throw _ProtobufFallback() }
        let first = unsafe position.load(as: UInt8.self)
        if first >= 0x80 { return try longVarint() }
        unsafe position += 1
        return UInt64(first)
    }

    /// Decodes a varint of two to ten bytes.
    @usableFromInline
    mutating func longVarint() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard unsafe position < end else { break }
            let byte = unsafe position.load(as: UInt8.self)
            unsafe position += 1
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 { return value }
        }
        throw _ProtobufFallback()
    }

    /// Returns the next `count` bytes without consuming them.
    @inlinable
    func body(_ count: Int) throws -> (start: UnsafeRawPointer, end: UnsafeRawPointer) {
        guard unsafe count <= end - position else { throw _ProtobufFallback() }
        return unsafe (position, position + count)
    }

    @inlinable
    mutating func fixed<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ type: Integer.Type
    ) throws -> Integer {
        let (start, after) = unsafe try body(MemoryLayout<Integer>.size)
        unsafe position = after
        return Integer(littleEndian: unsafe start.loadUnaligned(as: Integer.self))
    }

    /// Consumes the length and the contents of a string, of bytes, of a message or of packed
    /// values, and returns the contents.
    @inlinable
    mutating func lengthDelimited() throws -> UnsafeRawBufferPointer {
        let count = try varint()
        // 2 GiB is the limit of protobuf.
        guard count < 0x7FFF_FFFF else { throw _ProtobufFallback() }
        let (start, after) = unsafe try body(Int(truncatingIfNeeded: count))
        unsafe position = after
        return unsafe UnsafeRawBufferPointer(start: start, count: after - start)
    }
}

/// Thrown if a message contains a field that Rocket's codec does not support, or if it is invalid:
/// swift-protobuf's codec then processes the whole message again, and its result is final.
@usableFromInline
struct _ProtobufFallback: Error {
    @usableFromInline init() {}
}
