public import FoundationEssentials
public import SwiftProtobuf

// Single values. Unpacked repeated fields are written value by value.

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
            unsafe try bytesField(UnsafeRawBufferPointer($0), fieldNumber)
        }
        if isWritten == nil { throw _ProtobufFallback() }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitSingularBytesField(value: Data, fieldNumber: Int) throws {
        // SAFETY: the pointer does not escape the closure.
        try unsafe value.withUnsafeBytes { unsafe try bytesField($0, fieldNumber) }
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
