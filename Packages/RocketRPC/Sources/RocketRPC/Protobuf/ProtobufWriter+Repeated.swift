public import SwiftProtobuf

// Packed fields and maps.

extension _ProtobufWriter {
    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedFloatField(value: [Float], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in writer.put(fixed: value.bitPattern) }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedDoubleField(value: [Double], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in writer.put(fixed: value.bitPattern) }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedInt32Field(value: [Int32], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in
            writer.put(varint: UInt64(bitPattern: Int64(value)))
        }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedInt64Field(value: [Int64], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in
            writer.put(varint: UInt64(bitPattern: value))
        }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedUInt32Field(value: [UInt32], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in writer.put(varint: UInt64(value)) }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedUInt64Field(value: [UInt64], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in writer.put(varint: value) }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedSInt32Field(value: [Int32], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in
            writer.put(varint: ZigZag.encoded(Int64(value)))
        }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedSInt64Field(value: [Int64], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in
            writer.put(varint: ZigZag.encoded(value))
        }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedFixed32Field(value: [UInt32], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in writer.put(fixed: value) }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedFixed64Field(value: [UInt64], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in writer.put(fixed: value) }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedSFixed32Field(value: [Int32], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in writer.put(fixed: value) }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedSFixed64Field(value: [Int64], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in writer.put(fixed: value) }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedBoolField(value: [Bool], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in writer.put(varint: value ? 1 : 0) }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitPackedEnumField<E: Enum>(value: [E], fieldNumber: Int) throws {
        try packedField(value, fieldNumber) { writer, value in
            writer.put(varint: UInt64(bitPattern: Int64(value.rawValue)))
        }
    }

    /// - Parameter put: writes one value; `room` has been called for it.
    @inlinable @inline(__always)
    mutating func packedField<Value>(
        _ values: [Value], _ fieldNumber: Int, _ put: (inout _ProtobufWriter, Value) -> Void
    ) throws {
        try delimitedField(fieldNumber) { writer throws in
            for value in values {
                try writer.room(Self.tagAndVarintBytes)
                put(&writer, value)
            }
        }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitMapField<KeyType, ValueType: MapValueType>(
        fieldType: _ProtobufMap<KeyType, ValueType>.Type,
        value: _ProtobufMap<KeyType, ValueType>.BaseType, fieldNumber: Int
    ) throws {
        for (key, value) in value {
            try delimitedField(fieldNumber) { writer throws in
                try KeyType.visitSingular(value: key, fieldNumber: 1, with: &writer)
                try ValueType.visitSingular(value: value, fieldNumber: 2, with: &writer)
            }
        }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitMapField<KeyType, ValueType>(
        fieldType: _ProtobufEnumMap<KeyType, ValueType>.Type,
        value: _ProtobufEnumMap<KeyType, ValueType>.BaseType, fieldNumber: Int
    ) throws where ValueType.RawValue == Int {
        for (key, value) in value {
            try delimitedField(fieldNumber) { writer throws in
                try KeyType.visitSingular(value: key, fieldNumber: 1, with: &writer)
                try writer.visitSingularEnumField(value: value, fieldNumber: 2)
            }
        }
    }

    /// Part of `Visitor`.
    @inlinable
    public mutating func visitMapField<KeyType, ValueType>(
        fieldType: _ProtobufMessageMap<KeyType, ValueType>.Type,
        value: _ProtobufMessageMap<KeyType, ValueType>.BaseType, fieldNumber: Int
    ) throws {
        for (key, value) in value {
            try delimitedField(fieldNumber) { writer throws in
                try KeyType.visitSingular(value: key, fieldNumber: 1, with: &writer)
                try writer.visitSingularMessageField(value: value, fieldNumber: 2)
            }
        }
    }
}
