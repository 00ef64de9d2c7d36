public import FoundationEssentials
public import SwiftProtobuf

// Repeated fields, packed or not.

extension _ProtobufReader: Decoder {
    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedInt32Field(value: inout [Int32]) throws {
        try repeated(Wire.varint, &value) { reader throws in
            Int32(truncatingIfNeeded: try reader.varint())
        }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedInt64Field(value: inout [Int64]) throws {
        try repeated(Wire.varint, &value) { reader throws in Int64(bitPattern: try reader.varint())
        }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedUInt32Field(value: inout [UInt32]) throws {
        try repeated(Wire.varint, &value) { reader throws in
            UInt32(truncatingIfNeeded: try reader.varint())
        }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedUInt64Field(value: inout [UInt64]) throws {
        try repeated(Wire.varint, &value) { reader throws in try reader.varint() }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedSInt32Field(value: inout [Int32]) throws {
        try repeated(Wire.varint, &value) { reader throws in
            ZigZag.decoded(UInt32(truncatingIfNeeded: try reader.varint()))
        }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedSInt64Field(value: inout [Int64]) throws {
        try repeated(Wire.varint, &value) { reader throws in ZigZag.decoded(try reader.varint()) }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedFixed32Field(value: inout [UInt32]) throws {
        try repeated(Wire.fixed32, each: MemoryLayout<UInt32>.size, &value) { reader throws in
            try reader.fixed(UInt32.self)
        }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedFixed64Field(value: inout [UInt64]) throws {
        try repeated(Wire.fixed64, each: MemoryLayout<UInt64>.size, &value) { reader throws in
            try reader.fixed(UInt64.self)
        }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedSFixed32Field(value: inout [Int32]) throws {
        try repeated(Wire.fixed32, each: MemoryLayout<Int32>.size, &value) { reader throws in
            try reader.fixed(Int32.self)
        }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedSFixed64Field(value: inout [Int64]) throws {
        try repeated(Wire.fixed64, each: MemoryLayout<Int64>.size, &value) { reader throws in
            try reader.fixed(Int64.self)
        }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedFloatField(value: inout [Float]) throws {
        try repeated(Wire.fixed32, each: MemoryLayout<Float>.size, &value) { reader throws in
            Float(bitPattern: try reader.fixed(UInt32.self))
        }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedDoubleField(value: inout [Double]) throws {
        try repeated(Wire.fixed64, each: MemoryLayout<Double>.size, &value) { reader throws in
            Double(bitPattern: try reader.fixed(UInt64.self))
        }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedBoolField(value: inout [Bool]) throws {
        try repeated(Wire.varint, &value) { reader throws in try reader.varint() != 0 }
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedStringField(value: inout [String]) throws {
        guard wireType == Wire.lengthDelimited else { return }
        value.append(try string())
        isTaken = true
    }

    /// Part of `Decoder`.
    @inlinable
    public mutating func decodeRepeatedBytesField(value: inout [Data]) throws {
        guard wireType == Wire.lengthDelimited else { return }
        value.append(try data())
        isTaken = true
    }

    /// Part of `Decoder`. A single unknown value is an unknown field; packed unknown values are
    /// left to swift-protobuf.
    @inlinable
    public mutating func decodeRepeatedEnumField<E: Enum>(value: inout [E]) throws
    where E.RawValue == Int {
        if wireType == Wire.varint {
            guard let new: E = try enumCase() else { return }
            value.append(new)
            isTaken = true
        } else {
            try repeated(Wire.varint, &value) { reader throws in
                guard let new: E = try reader.enumCase() else { throw _ProtobufFallback() }
                return new
            }
        }
    }

    /// Decodes one value, or all values of a packed field.
    ///
    /// - Parameter size: the size of each packed value, if all have the same size.
    @inlinable @inline(__always)
    mutating func repeated<Value>(
        _ wire: UInt32, each size: Int = 1, _ values: inout [Value],
        _ next: (inout _ProtobufReader) throws -> Value
    ) throws {
        if wireType == wire {
            values.append(try next(&self))
        } else if wireType == Wire.lengthDelimited {
            let packed = unsafe try lengthDelimited()
            guard packed.count % size == 0 else { throw _ProtobufFallback() }
            if size > 1 { values.reserveCapacity(values.count + packed.count / size) }
            let (after, outerEnd) = unsafe (position, end)
            unsafe position = after - packed.count
            unsafe end = after
            while unsafe position < end { values.append(try next(&self)) }
            unsafe end = outerEnd
        } else {
            return
        }
        isTaken = true
    }
}
