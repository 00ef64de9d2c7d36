/// The parameters of a statement, in PostgreSQL's binary format. A value.
public struct PostgresParameters: Sendable {
    /// Types of elements of arrays, by their numbers in the catalogue.
    private enum Element: UInt32 {
        case int64 = 20
        case int32 = 23
        case text = 25
    }

    private(set) var bytes: [UInt8] = []
    /// Where each parameter ends; nil: it is NULL.
    private(set) var ends: [Int?] = []

    /// No parameters.
    public init() {}

    /// Appends a bigint.
    public mutating func append(_ value: Int64) {
        put(value)
        ends.append(bytes.count)
    }

    /// Appends a bigint, or NULL.
    public mutating func append(_ value: Int64?) {
        if let value { append(value) } else { ends.append(nil) }
    }

    /// Appends a text.
    public mutating func append(_ value: String) {
        bytes.append(contentsOf: value.utf8)
        ends.append(bytes.count)
    }

    /// Appends an array of integers.
    public mutating func append(_ values: [Int32]) { append(values, as: .int32) }

    /// Appends an array of bigints.
    public mutating func append(_ values: [Int64]) { append(values, as: .int64) }

    private mutating func append(_ values: [some FixedWidthInteger], as element: Element) {
        begin(element, count: values.count, hasNull: false)
        for value in values {
            put(Int32(value.bitWidth / 8))
            put(value)
        }
        ends.append(bytes.count)
    }

    /// Appends an array of texts, in which nil is NULL.
    public mutating func append(_ values: [String?]) {
        begin(.text, count: values.count, hasNull: true)
        for value in values {
            guard let value else {
                put(Int32(-1))
                continue
            }
            put(Int32(value.utf8.count))
            bytes.append(contentsOf: value.utf8)
        }
        ends.append(bytes.count)
    }

    /// An array of one dimension that begins at 1.
    private mutating func begin(_ element: Element, count: Int, hasNull: Bool) {
        put(Int32(count == 0 ? 0 : 1))
        put(Int32(hasNull ? 1 : 0))
        put(element.rawValue)
        if count == 0 { return }
        put(Int32(count))
        put(Int32(1))
    }

    private mutating func put(_ value: some FixedWidthInteger) {
        // SAFETY: the bytes of an integer, which are copied.
        unsafe withUnsafeBytes(of: value.bigEndian) { unsafe bytes.append(contentsOf: $0) }
    }
}
