import CRocketHTTP2

/// A list of header fields to be sent, in their order: the pseudo header fields first. A value, which
/// can be used again without allocations (`removeAll`).
///
/// Names are in lower case (RFC 9113, 8.2.1). What a user chooses is checked with `isName` and
/// `isValue` first: a peer refuses a whole list because of one wrong field.
public struct HTTP2Headers: Hashable, Sendable {
    /// For each field the header that rocket_http2.h describes, the name and the value.
    var bytes: [UInt8] = []
    /// The number of fields.
    public private(set) var count = 0
    /// The size as RFC 9113, 6.5.2 counts it: names, values, and 32 for each field.
    public private(set) var listBytes = 0

    /// Makes an empty list.
    public init() {}

    /// Makes a list of names and values.
    public init(_ fields: KeyValuePairs<String, String>) {
        for (name, value) in fields { add(name, value) }
    }

    /// Adds a field.
    ///
    /// - Parameters:
    ///   - name: at most 65,535 bytes; longer ones trap.
    ///   - isSensitive: keeps the value out of the memory of the compression, and of that of
    ///     intermediaries: for tokens.
    public mutating func add(_ name: String, _ value: String, isSensitive: Bool = false) {
        var name = name
        var value = value
        begin(name.utf8.count, value.utf8.count, isSensitive)
        name.withUTF8 { unsafe bytes.append(contentsOf: $0) }
        value.withUTF8 { unsafe bytes.append(contentsOf: $0) }
    }

    /// Adds a field, as `add` of texts.
    public mutating func add(name: RawSpan, value: RawSpan, isSensitive: Bool = false) {
        begin(name.byteCount, value.byteCount, isSensitive)
        // SAFETY: the pointers do not escape from the closures.
        unsafe name.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        unsafe value.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
    }

    /// Removes all fields and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        count = 0
        listBytes = 0
    }

    private mutating func begin(_ name: Int, _ value: Int, _ isSensitive: Bool) {
        precondition(
            name <= UInt16.max && value <= Int(Int32.max), "HTTP2Headers: a field is too long")
        count += 1
        listBytes += name + value + 32
        append(UInt32(value))
        append(UInt16(name))
        bytes.append(isSensitive ? 1 : 0)
        bytes.append(0)
    }

    private mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        // SAFETY: the bytes of the integer do not escape from the closure.
        unsafe withUnsafeBytes(of: number) { unsafe bytes.append(contentsOf: $0) }
    }

    /// Returns whether bytes may be the name of a field: a token in lower case.
    public static func isName(_ name: RawSpan) -> Bool {
        // SAFETY: the pointer does not escape from the closure.
        unsafe name.withUnsafeBytes { bytes in
            unsafe rocket_http2_is_name(
                bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count) != 0
        }
    }

    /// Returns whether bytes may be the value of a field: no control characters, no white space at
    /// either end.
    public static func isValue(_ value: RawSpan) -> Bool {
        if value.isEmpty { return true }
        // SAFETY: the pointer does not escape from the closure.
        return unsafe value.withUnsafeBytes { bytes in
            unsafe rocket_http2_is_value(
                bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count) != 0
        }
    }
}
