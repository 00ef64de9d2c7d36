/// Key-value pairs that are sent with a message, in the order in which they were set.
///
/// Keys are `[a-z0-9-]+`, values are any text. See docs/wire-format.md, "Metadata".
public struct Metadata: Hashable, Sendable {
    /// A key and its value.
    public struct Entry: Hashable, Sendable {
        /// `[a-z0-9-]+`
        public let key: String
        /// Any text; percent-encoded on the wire.
        public let value: String
    }

    /// All entries; each key occurs once.
    public private(set) var entries: [Entry] = []

    /// Creates metadata without entries.
    public init() {}

    /// Whether there are no entries.
    @inlinable public var isEmpty: Bool { entries.isEmpty }

    /// The value of `key`; setting nil removes the entry. Setting traps on an invalid key.
    public subscript(key: String) -> String? {
        get { entries.first { $0.key == key }?.value }
        set {
            precondition(
                Self.isValid(key: key),
                "Metadata: '\(key)' is not a valid key; allowed are a-z, 0-9 and -")
            let index = entries.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): entries[index] = Entry(key: key, value: value)
            case (nil, let value?): entries.append(Entry(key: key, value: value))
            case (let index?, nil): entries.remove(at: index)
            case (nil, nil): break
            }
        }
    }

    /// Sets the value of a valid key that a peer sent. `index` must be empty at first and must be
    /// passed for each entry: with many keys, linear searches would take quadratic time, and the peer
    /// chooses the number of keys.
    mutating func set(_ value: String, for key: String, index: inout [String: Int]) {
        if entries.count < 16 {
            self[key] = value
            return
        }
        if index.isEmpty {
            for (position, entry) in entries.enumerated() { index[entry.key] = position }
        }
        if let position = index[key] {
            entries[position] = Entry(key: key, value: value)
        } else {
            index[key] = entries.count
            entries.append(Entry(key: key, value: value))
        }
    }

    /// Whether `key` is not empty and consists of a-z, 0-9 and -.
    public static func isValid(key: String) -> Bool {
        !key.isEmpty && key.utf8.allSatisfy(isKeyByte)
    }

    @inlinable
    static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension Metadata: ExpressibleByDictionaryLiteral {
    /// Creates metadata from a literal; later values of the same key replace earlier ones. Traps on an
    /// invalid key.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (key, value) in elements { self[key] = value }
    }
}

/// Thrown for metadata that is too long for a frame's err_info.
public struct MetadataTooLarge: Error, Hashable, Sendable, CustomStringConvertible {
    /// Length of the encoded metadata, in bytes.
    public let bytes: Int
    /// Longest allowed length, in bytes.
    public let limit: Int

    /// Creates the error for a block of `bytes` bytes.
    public init(bytes: Int, limit: Int) {
        self.bytes = bytes
        self.limit = limit
    }

    /// The error in one line, with both lengths.
    public var description: String { "metadata takes \(bytes) bytes, \(limit) are allowed" }
}
