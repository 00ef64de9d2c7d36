public import FoundationEssentials
public import RocketBase
public import SwiftProtobuf

// SAFETY: created and released within one exclusive access to the buffer; every write is preceded
// by `room`, which stops using the slot before the buffer may be reallocated.
/// Encodes a message directly into the free end of a `ByteBuffer`: the `Visitor` that generated
/// code passes to `traverse`, which the compiler specializes for this type.
///
/// Writes the same bytes as swift-protobuf, in one pass: it reserves one byte for a length that is
/// not known yet, and moves the contents if the length needs more bytes.
///
/// Created only by `_RPCMessageCoding`. Must not outlive the access to the buffer: it contains
/// pointers into it.
@frozen @safe
public struct _ProtobufWriter {
    @usableFromInline let buffer: UnsafeMutablePointer<ByteBuffer>
    /// The start of the buffer's free end.
    @usableFromInline var start: UnsafeMutableRawPointer
    @usableFromInline var end: UnsafeMutableRawPointer
    /// The position of the next write.
    @usableFromInline var cursor: UnsafeMutableRawPointer
    /// Takes long fields; nil: all are copied.
    @usableFromInline var longFields: LongFields?

    @inlinable
    init(
        _ buffer: UnsafeMutablePointer<ByteBuffer>, _ longFields: LongFields?
    ) {
        unsafe self.buffer = buffer
        self.longFields = longFields
        let slot = unsafe buffer.pointee.slot(minimum: 64)
        unsafe start = slot.start
        unsafe cursor = slot.start
        unsafe end = Self.end(of: slot, longFields)
    }

    /// The end of the slot. Where long fields are left out, the slot is too short for any, so that
    /// only what needs more room is checked for its length.
    @inlinable @inline(__always)
    static func end(
        of slot: (start: UnsafeMutableRawPointer, end: UnsafeMutableRawPointer),
        _ longFields: LongFields?
    ) -> UnsafeMutableRawPointer {
        if longFields == nil { return unsafe slot.end }
        return unsafe min(slot.end, slot.start + LongFields.leastBytes)
    }

    /// Adds the written bytes to the buffer's readable bytes.
    @inlinable
    mutating func commit() {
        unsafe buffer.pointee.commit(cursor - start)
        unsafe start = cursor
    }

    /// Ensures that `count` bytes can be written at the cursor.
    @inlinable @inline(__always)
    mutating func room(_ count: Int) throws {
        if unsafe end - cursor < count { try grow(count) }
    }

    @usableFromInline
    mutating func grow(_ count: Int) throws {
        commit()
        guard unsafe buffer.pointee.reserve(count) else { throw _ProtobufFallback() }
        let slot = unsafe buffer.pointee.slot(minimum: count)
        unsafe start = slot.start
        unsafe cursor = slot.start
        unsafe end = max(slot.start + count, Self.end(of: slot, longFields))
    }
}

// MARK: - Primitive values. The `put` functions require a preceding call of `room`.

extension _ProtobufWriter {
    /// The maximum size of a tag and a varint.
    @inlinable static var tagAndVarintBytes: Int { 15 }

    @inlinable @inline(__always)
    mutating func varintField(_ value: UInt64, _ fieldNumber: Int) throws {
        try room(Self.tagAndVarintBytes)
        put(tag: fieldNumber, 0)
        put(varint: value)
    }

    @inlinable @inline(__always)
    mutating func fixedField<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ value: Integer, _ fieldNumber: Int
    ) throws {
        try room(Self.tagAndVarintBytes)
        put(tag: fieldNumber, MemoryLayout<Integer>.size == 8 ? 1 : 5)
        put(fixed: value)
    }

    @inlinable
    mutating func bytesField(_ bytes: UnsafeRawBufferPointer, _ fieldNumber: Int) throws {
        try room(Self.tagAndVarintBytes + bytes.count)
        unsafe put(field: bytes, fieldNumber)
    }

    @inlinable @inline(__always)
    mutating func put(field bytes: UnsafeRawBufferPointer, _ fieldNumber: Int) {
        put(tag: fieldNumber, 2)
        put(varint: UInt64(truncatingIfNeeded: bytes.count))
        unsafe put(bytes)
    }

    @inlinable @inline(__always)
    mutating func put(tag fieldNumber: Int, _ wireType: UInt64) {
        put(varint: UInt64(truncatingIfNeeded: fieldNumber) &<< 3 | wireType)
    }

    @inlinable @inline(__always)
    mutating func put(varint value: UInt64) {
        var rest = value
        while rest > 0x7F {
            unsafe cursor.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, as: UInt8.self)
            unsafe cursor += 1
            rest &>>= 7
        }
        unsafe cursor.storeBytes(of: UInt8(truncatingIfNeeded: rest), as: UInt8.self)
        unsafe cursor += 1
    }

    @inlinable @inline(__always)
    mutating func put<Integer: FixedWidthInteger & BitwiseCopyable>(fixed value: Integer) {
        unsafe cursor.storeBytes(of: value.littleEndian, as: Integer.self)
        unsafe cursor += MemoryLayout<Integer>.size
    }

    @inlinable @inline(__always)
    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        unsafe cursor.copyMemory(from: source, byteCount: bytes.count)
        unsafe cursor += bytes.count
    }

    /// Writes a length-delimited field.
    @inlinable @inline(__always)
    mutating func delimitedField(
        _ fieldNumber: Int, _ body: (inout _ProtobufWriter) throws -> Void
    ) throws {
        try room(Self.tagAndVarintBytes)
        put(tag: fieldNumber, 2)
        unsafe cursor += 1
        let begin = offset
        // The length of the contents is that of the buffer.
        let longFields = longFields
        self.longFields = nil
        try body(&self)
        self.longFields = longFields
        // It may have been moved while long fields were copied.
        if longFields != nil { unsafe end = min(end, cursor + LongFields.leastBytes) }
        try setLength(begin)
    }

    /// The offset of the cursor from the buffer's first readable byte.
    @usableFromInline
    var offset: Int { unsafe buffer.pointee.readableBytes + (cursor - start) }

    /// Writes the length of the contents that begin at `begin` into the byte before them; moves the
    /// contents if the length needs more than one byte.
    @usableFromInline
    mutating func setLength(_ begin: Int) throws {
        let count = offset - begin
        var more = 0
        while count >> (7 * (more + 1)) != 0 { more += 1 }
        if more > 0 { try room(more) }
        // Committed bytes are directly before `start`.
        let body = unsafe cursor - count
        if more > 0 { unsafe (body + more).copyMemory(from: body, byteCount: count) }
        unsafe cursor = body - 1
        put(varint: UInt64(truncatingIfNeeded: count))
        unsafe cursor += count
    }
}

// MARK: - Single values. Unpacked repeated fields are written value by value.

extension _ProtobufWriter: Visitor {
    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularFloatField(value: Float, fieldNumber: Int) throws {
        try fixedField(value.bitPattern, fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularDoubleField(value: Double, fieldNumber: Int) throws {
        try fixedField(value.bitPattern, fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularInt32Field(value: Int32, fieldNumber: Int) throws {
        try varintField(UInt64(bitPattern: Int64(value)), fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularInt64Field(value: Int64, fieldNumber: Int) throws {
        try varintField(UInt64(bitPattern: value), fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularUInt32Field(value: UInt32, fieldNumber: Int) throws {
        try varintField(UInt64(value), fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularUInt64Field(value: UInt64, fieldNumber: Int) throws {
        try varintField(value, fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularSInt32Field(value: Int32, fieldNumber: Int) throws {
        try varintField(ZigZag.encoded(Int64(value)), fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularSInt64Field(value: Int64, fieldNumber: Int) throws {
        try varintField(ZigZag.encoded(value), fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularFixed32Field(value: UInt32, fieldNumber: Int) throws {
        try fixedField(value, fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularFixed64Field(value: UInt64, fieldNumber: Int) throws {
        try fixedField(value, fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularSFixed32Field(value: Int32, fieldNumber: Int) throws {
        try fixedField(value, fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularSFixed64Field(value: Int64, fieldNumber: Int) throws {
        try fixedField(value, fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularBoolField(value: Bool, fieldNumber: Int) throws {
        try varintField(value ? 1 : 0, fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularStringField(value: String, fieldNumber: Int) throws {
        // SAFETY: the pointer does not escape the closure.
        let isWritten: Void? = unsafe try value.utf8.withContiguousStorageIfAvailable {
            let count = Self.tagAndVarintBytes + $0.count
            if unsafe end - cursor < count {
                if try longField(value, fieldNumber) { return }
                try grow(count)
            }
            unsafe put(field: UnsafeRawBufferPointer($0), fieldNumber)
        }
        if isWritten == nil { throw _ProtobufFallback() }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularBytesField(value: Data, fieldNumber: Int) throws {
        // SAFETY: the pointer does not escape the closure.
        try unsafe value.withUnsafeBytes {
            let count = Self.tagAndVarintBytes + $0.count
            if unsafe end - cursor < count {
                if try longField(value, fieldNumber) { return }
                try grow(count)
            }
            unsafe put(field: $0, fieldNumber)
        }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularEnumField<E: Enum>(value: E, fieldNumber: Int) throws {
        try varintField(UInt64(bitPattern: Int64(value.rawValue)), fieldNumber)
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularMessageField<M: Message>(value: M, fieldNumber: Int) throws {
        try delimitedField(fieldNumber) { writer throws in try value.traverse(visitor: &writer) }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularGroupField<G: Message>(value: G, fieldNumber: Int) throws {
        try room(Self.tagAndVarintBytes)
        put(tag: fieldNumber, 3)
        try value.traverse(visitor: &self)
        try room(Self.tagAndVarintBytes)
        put(tag: fieldNumber, 4)
    }

    /// Part of `Visitor`. The bytes of unknown fields include their tags.
    @inlinable
    public mutating func visitUnknown(bytes: Data) throws {
        try room(bytes.count)
        // SAFETY: the pointer does not escape the closure.
        unsafe bytes.withUnsafeBytes { unsafe put($0) }
    }

    /// Part of `Visitor`. Message sets are left to swift-protobuf.
    public mutating func visitExtensionFieldsAsMessageSet(
        fields: ExtensionFieldValueSet, start: Int, end: Int
    ) throws {
        throw _ProtobufFallback()
    }
}
