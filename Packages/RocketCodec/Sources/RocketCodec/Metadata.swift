/// Key-value pairs that are sent with a message, in the order in which they were added.
///
/// Keys are `[a-z0-9_.-]+`, values are any text. See docs/wire-format.md, "Metadata". Keys are
/// compared without regard to case and kept in lower case, so keys of HTTP fields can be used as
/// they are. Any other key can be set, but such metadata can't be encoded (`MetadataError`): keys
/// may come from outside, and must not end the process.
///
/// Keys that end in `-bin` are for bytes, as in gRPC: `metadata[bytes: "trace-bin"]`.
public struct Metadata: Hashable, Sendable {
    /// A key and its value.
    public struct Entry: Hashable, Sendable {
        /// `[a-z0-9_.-]+`
        public let key: String
        /// Any text; percent-encoded on the wire. Base64 for keys that end in `-bin`.
        public let value: String

        /// The bytes of which the value is the base64; nil if it is other text.
        public var bytes: [UInt8]? { Base64.decode(value) }

        /// Whether the key ends in `-bin`: its value is for bytes.
        public var isBinary: Bool { key.hasSuffix("-bin") }
    }

    /// All entries; a key may occur several times.
    public private(set) var entries: [Entry] = []

    /// Creates metadata without entries.
    public init() {}

    /// Whether there are no entries.
    @inlinable public var isEmpty: Bool { entries.isEmpty }

    /// The value of `key`: the last one, if there are several. Setting replaces all values of the
    /// key; nil removes them.
    public subscript(key: String) -> String? {
        get {
            let key = Self.lowercased(key)
            return entries.last { $0.key == key }?.value
        }
        set {
            let key = Self.lowercased(key)
            let index = entries.firstIndex { $0.key == key }
            if let index {
                entries[index...].removeAll { $0.key == key }
                if let newValue { entries.insert(Entry(key: key, value: newValue), at: index) }
            } else if let newValue {
                entries.append(Entry(key: key, value: newValue))
            }
        }
    }

    /// All values of `key`, in their order.
    public subscript(values key: String) -> [String] {
        let key = Self.lowercased(key)
        return entries.compactMap { $0.key == key ? $0.value : nil }
    }

    /// Adds a value of `key`, behind those that it has.
    public mutating func add(_ value: String, for key: String) {
        entries.append(Entry(key: Self.lowercased(key), value: value))
    }

    /// The bytes of `key`: those of its last value, if there are several; nil if there is none, or
    /// if that value is not base64. Setting replaces all values of the key; nil removes them.
    ///
    /// The value is kept as base64 without padding, so it travels on every wire. End the key in
    /// `-bin`: only then other implementations know that the value is bytes.
    public subscript(bytes key: String) -> [UInt8]? {
        get { self[key].flatMap(Base64.decode) }
        set { self[key] = newValue.map(Base64.encode) }
    }

    /// Adds bytes as a value of `key`, behind those that it has.
    public mutating func add(bytes: [UInt8], for key: String) {
        add(Base64.encode(bytes), for: key)
    }

    /// Returns the key with A-Z in lower case; all other characters are unchanged.
    private static func lowercased(_ key: String) -> String {
        func isUpper(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        }
        if !key.utf8.contains(where: isUpper) { return key }
        return String(decoding: key.utf8.map { isUpper($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// Whether `key` is not empty and consists of a-z, 0-9, `_`, `.` and `-`.
    public static func isValid(key: String) -> Bool {
        !key.isEmpty && key.utf8.allSatisfy(isKeyByte)
    }

    @inlinable
    static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}

extension Metadata: ExpressibleByDictionaryLiteral {
    /// Creates metadata from a literal; a key may occur several times.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (key, value) in elements { add(value, for: key) }
    }
}
