import RocketBase
import RocketCodec

/// The field of trailers `endpoint-load-metrics-bin`, by which clients of gRPC balance (gRFC A51): an
/// xds.data.orca.v3.OrcaLoadReport in base64. Here it is the line `load` of a metadata block.
enum OrcaLoad {
    static let name = "endpoint-load-metrics-bin"
    static let field: StaticString = "endpoint-load-metrics-bin"
    /// Longer values are not read: a report may have maps of any length.
    private static let maxTextBytes = 4096

    /// The fields of the message that are used, all of type double.
    private enum Number {
        static let cpuUtilization: UInt64 = 1
        static let callsPerSecond: UInt64 = 6
        static let errorsPerSecond: UInt64 = 7
        static let applicationUtilization: UInt64 = 9
    }

    /// The value of the field for a line.
    static func encode(_ line: LoadLine) -> String {
        var bytes = ByteBuffer()
        for (number, value) in [
            (Number.callsPerSecond, line.callsPerSecond),
            (Number.errorsPerSecond, line.errorsPerSecond),
            (Number.applicationUtilization, line.utilization),
        ] where value > 0 {
            bytes.append(byte: UInt8(number << 3 | 1))
            bytes.append(bigEndian: value.bitPattern.byteSwapped)
        }
        var metadata = Metadata()
        metadata[bytes: name] = bytes.copyBytes()
        return metadata[name] ?? ""
    }

    /// Reads a value of the field. As in gRPC the application's utilization counts if there is one, else
    /// the CPU's.
    ///
    /// - Returns: nil if it is no such message.
    static func decode(_ text: RawSpan) -> LoadLine? {
        guard text.byteCount <= maxTextBytes else { return nil }
        var metadata = Metadata()
        metadata[name] = text.text
        guard let bytes = metadata[bytes: name] else { return nil }
        var reader = FieldReader(bytes: bytes[...])
        var line = LoadLine(utilization: 0, callsPerSecond: 0, errorsPerSecond: 0)
        var cpu = 0.0
        while !reader.bytes.isEmpty {
            guard let (number, value) = reader.next() else { return nil }
            guard let value, value >= 0, value.isFinite else { continue }
            switch number {
            case Number.cpuUtilization: cpu = value
            case Number.callsPerSecond: line.callsPerSecond = value
            case Number.errorsPerSecond: line.errorsPerSecond = value
            case Number.applicationUtilization: line.utilization = value
            default: break
            }
        }
        if line.utilization <= 0 { line.utilization = cpu }
        return line
    }
}

/// Reads the fields of a message.
private struct FieldReader {
    var bytes: ArraySlice<UInt8>

    /// Takes a field.
    ///
    /// - Returns: its number and its value if that is a double; nil if the bytes are no field.
    mutating func next() -> (number: UInt64, value: Double?)? {
        guard let tag = varint() else { return nil }
        let number = tag >> 3
        switch tag & 7 {
        case 0: return varint().map { _ in (number, nil) }
        case 1:
            let bits = bytes.prefix(8).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
            return skip(8) ? (number, Double(bitPattern: bits)) : nil
        case 2:
            guard let count = varint() else { return nil }
            return skip(count) ? (number, nil) : nil
        case 5: return skip(4) ? (number, nil) : nil
        default: return nil
        }
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in 0..<10 {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 127) << UInt64(7 * shift)
            if byte < 128 { return value }
        }
        return nil
    }

    private mutating func skip(_ count: UInt64) -> Bool {
        guard count <= UInt64(bytes.count) else { return false }
        bytes = bytes.dropFirst(Int(count))
        return true
    }
}
