public import SwiftProtobuf

// SAFETY: made and dropped within the closure that lends the bytes; every read is preceded by a
// check against `end`.
/// Decodes a message from bytes in place: the `Decoder` that generated code hands to
/// `decodeMessage`, which the compiler then makes a copy of for this type alone.
///
/// Takes what is plain: every field kind but groups and message sets, unknown fields included. At
/// anything else, and at whatever is not sound, it gives up with `_ProtobufFallback`, and
/// swift-protobuf decodes the same bytes anew; so what is refused, and why, is its decision alone.
///
/// A value of `_RPCMessageCoding`'s: nobody else makes one, and it must not outlive the bytes.
@frozen @safe
public struct _ProtobufReader {
    @usableFromInline var position: UnsafeRawPointer
    @usableFromInline var end: UnsafeRawPointer
    /// Where the current field's tag stands.
    @usableFromInline var fieldStart: UnsafeRawPointer
    @usableFromInline var wireType: UInt32 = 0
    /// Whether somebody took the current field's value.
    @usableFromInline var isTaken = true
    /// Messages within messages that may still come: swift-protobuf's own limit.
    @usableFromInline var depthLeft = BinaryDecodingOptions().messageDepthLimit
    /// Fields of the current message that nobody took, tags included.
    @usableFromInline var unknown: [UInt8] = []

    /// - Parameter bytes: not empty.
    @inlinable
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
    /// The next field's number; nil at the end of the message.
    @inlinable
    public mutating func nextFieldNumber() throws -> Int? {
        if !isTaken { try keepUnknownField() }
        guard unsafe position < end else { return nil }
        unsafe fieldStart = position
        let first = unsafe position.load(as: UInt8.self)
        var tag = UInt32(first)
        if first < 0x80 { unsafe position += 1 } else { tag = try longTag() }
        wireType = tag & 7
        // Groups and the two types that do not exist are swift-protobuf's.
        guard 0b100111 & (1 &<< wireType) != 0, tag > 7 else { throw _ProtobufFallback() }
        isTaken = false
        return Int(tag &>> 3)
    }

    /// A tag of two to five bytes.
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

    /// The current field, which nobody took, goes to what is unknown, tag and all.
    @usableFromInline
    mutating func keepUnknownField() throws {
        // Somebody may have looked at the value: an enum without such a case, say.
        unsafe position = fieldStart
        let tag = try varint()
        switch UInt32(truncatingIfNeeded: tag) & 7 {
        case Wire.varint: _ = try varint()
        case Wire.fixed32: unsafe position = try body(4).end
        case Wire.fixed64: unsafe position = try body(8).end
        default: _ = unsafe try lengthDelimited()
        }
        unsafe unknown.append(
            contentsOf: UnsafeRawBufferPointer(start: fieldStart, count: position - fieldStart))
        isTaken = true
    }

    /// Several values of a `oneof`: the last one counts.
    @inlinable
    public mutating func handleConflictingOneOf() throws {}
}

// MARK: - Pieces

extension _ProtobufReader {
    @inlinable
    mutating func varint() throws -> UInt64 {
        guard unsafe position < end else { throw _ProtobufFallback() }
        let first = unsafe position.load(as: UInt8.self)
        if first >= 0x80 { return try longVarint() }
        unsafe position += 1
        return UInt64(first)
    }

    /// A varint of two to ten bytes.
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

    /// The next `count` bytes, which are not passed over yet.
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

    /// The body of a string, of bytes, of a message or of packed values. Its bytes are passed over.
    @inlinable
    mutating func lengthDelimited() throws -> UnsafeRawBufferPointer {
        let count = try varint()
        // 2 GiB is the most that protobuf allows.
        guard count < 0x7FFF_FFFF else { throw _ProtobufFallback() }
        let (start, after) = unsafe try body(Int(truncatingIfNeeded: count))
        unsafe position = after
        return unsafe UnsafeRawBufferPointer(start: start, count: after - start)
    }
}

/// Says that a message holds something that the fast way does not handle, or that its bytes are no
/// sound message: swift-protobuf's own codec starts over with it, and has the last word.
@usableFromInline
struct _ProtobufFallback: Error {
    @usableFromInline init() {}
}
