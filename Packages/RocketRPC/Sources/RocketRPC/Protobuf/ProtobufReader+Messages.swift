public import SwiftProtobuf

// Nested messages, maps and extensions.

extension _ProtobufReader {
    /// Part of `Decoder`. Merges with an existing message.
    @inlinable
    public mutating func decodeSingularMessageField<M: Message>(value: inout M?) throws {
        guard wireType == Wire.lengthDelimited else { return }
        // Moved out, so that it is uniquely referenced and changed in place.
        var message = value.take() ?? M()
        try readMessage(&message)
        value = message
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedMessageField<M: Message>(value: inout [M]) throws {
        guard wireType == Wire.lengthDelimited else { return }
        var message = M()
        try readMessage(&message)
        value.append(message)
    }

    @inlinable
    mutating func readMessage<M: Message>(_ message: inout M) throws {
        let bytes = unsafe try lengthDelimited()
        let (after, outerEnd) = unsafe (position, end)
        unsafe position = after - bytes.count
        unsafe end = after
        var outerUnknown: [UInt8] = []
        swap(&outerUnknown, &unknown)
        isTaken = true
        try readWhole(&message) { (message, reader) throws in
            try message.decodeMessage(decoder: &reader)
        }
        swap(&outerUnknown, &unknown)
        unsafe end = outerEnd
        isTaken = true
    }

    /// Decodes all fields up to `end`, including unknown fields.
    @inlinable @inline(__always)
    mutating func readWhole<M: Message>(
        _ message: inout M, _ decode: (inout M, inout _ProtobufReader) throws -> Void
    ) throws {
        depthLeft -= 1
        guard depthLeft >= 0 else { throw _ProtobufFallback() }
        try decode(&message, &self)
        depthLeft += 1
        guard unsafe position == end else { throw _ProtobufFallback() }
        if !unknown.isEmpty {
            message.unknownFields = try Self.storage(message.unknownFields, and: unknown)
        }
    }

    /// Returns a storage with the unknown fields of `before` followed by `fields`. swift-protobuf
    /// has no public function for this, so a message without fields decodes the bytes.
    @usableFromInline
    static func storage(_ before: UnknownStorage, and fields: [UInt8]) throws -> UnknownStorage {
        try Google_Protobuf_Empty(serializedBytes: [UInt8](before.data) + fields).unknownFields
    }

    /// Part of `Decoder`. Groups are left to swift-protobuf.
    public mutating func decodeSingularGroupField<G: Message>(value: inout G?) throws {
        throw _ProtobufFallback()
    }

    /// Part of `Decoder`. Groups are left to swift-protobuf.
    public mutating func decodeRepeatedGroupField<G: Message>(value: inout [G]) throws {
        throw _ProtobufFallback()
    }

    /// Part of `Decoder`. Without known extensions the field is an unknown field.
    public mutating func decodeExtensionField(
        values: inout ExtensionFieldValueSet, messageType: any Message.Type, fieldNumber: Int
    ) throws {}

    /// Part of `Decoder`. Message sets are left to swift-protobuf.
    public mutating func decodeExtensionFieldsAsMessageSet(
        values: inout ExtensionFieldValueSet, messageType: any Message.Type
    ) throws {
        throw _ProtobufFallback()
    }
}

// MARK: - Maps

extension _ProtobufReader {
    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeMapField<KeyType, ValueType: MapValueType>(
        fieldType: _ProtobufMap<KeyType, ValueType>.Type,
        value: inout _ProtobufMap<KeyType, ValueType>.BaseType
    ) throws {
        guard wireType == Wire.lengthDelimited else { return }
        var entry: (key: KeyType.BaseType?, value: ValueType.BaseType?)
        try readEntry { reader throws in
            try KeyType.decodeSingular(value: &entry.key, from: &reader)
        } value: { reader throws in
            try ValueType.decodeSingular(value: &entry.value, from: &reader)
        }
        guard let key = entry.key, let new = entry.value else { throw _ProtobufFallback() }
        value[key] = new
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeMapField<KeyType, ValueType>(
        fieldType: _ProtobufEnumMap<KeyType, ValueType>.Type,
        value: inout _ProtobufEnumMap<KeyType, ValueType>.BaseType
    ) throws where ValueType.RawValue == Int {
        guard wireType == Wire.lengthDelimited else { return }
        var entry: (key: KeyType.BaseType?, value: ValueType?)
        try readEntry { reader throws in
            try KeyType.decodeSingular(value: &entry.key, from: &reader)
        } value: { reader throws in
            try reader.decodeSingularEnumField(value: &entry.value)
        }
        guard let key = entry.key, let new = entry.value else { throw _ProtobufFallback() }
        value[key] = new
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeMapField<KeyType, ValueType>(
        fieldType: _ProtobufMessageMap<KeyType, ValueType>.Type,
        value: inout _ProtobufMessageMap<KeyType, ValueType>.BaseType
    ) throws {
        guard wireType == Wire.lengthDelimited else { return }
        var entry: (key: KeyType.BaseType?, value: ValueType?)
        try readEntry { reader throws in
            try KeyType.decodeSingular(value: &entry.key, from: &reader)
        } value: { reader throws in
            try reader.decodeSingularMessageField(value: &entry.value)
        }
        guard let key = entry.key, let new = entry.value else { throw _ProtobufFallback() }
        value[key] = new
    }

    /// Decodes an entry of one key and one value, in this order, the form that all libraries write.
    /// Other forms are left to swift-protobuf.
    @inlinable
    mutating func readEntry(
        key: (inout _ProtobufReader) throws -> Void, value: (inout _ProtobufReader) throws -> Void
    ) throws {
        let bytes = unsafe try lengthDelimited()
        let (after, outerEnd) = unsafe (position, end)
        unsafe position = after - bytes.count
        unsafe end = after
        isTaken = true
        guard try nextFieldNumber() == 1 else { throw _ProtobufFallback() }
        try key(&self)
        guard isTaken, try nextFieldNumber() == 2 else { throw _ProtobufFallback() }
        try value(&self)
        guard isTaken, unsafe position == end else { throw _ProtobufFallback() }
        unsafe end = outerEnd
    }
}
