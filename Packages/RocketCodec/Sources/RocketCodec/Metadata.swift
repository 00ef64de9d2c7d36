/// What travels beside a message: keys and values, in the order in which they were set.
///
/// Keys are `[a-z0-9-]+`, values any text. See docs/wire-format.md, "Metadata".
public struct Metadata: Hashable, Sendable {
    /// One key and its value.
    public struct Entry: Hashable, Sendable {
        /// `[a-z0-9-]+`
        public let key: String
        /// Any text; percent-encoded on the wire.
        public let value: String
    }

    /// All entries; each key stands once.
    public private(set) var entries: [Entry] = []

    /// No entries.
    public init() {}

    /// True without an entry.
    @inlinable public var isEmpty: Bool { entries.isEmpty }

    /// The value of `key`; setting nil removes it. Traps on a key that breaks the rule above.
    public subscript(key: String) -> String? {
        get { entries.first { $0.key == key }?.value }
        set {
            precondition(
                Self.isValid(key: key), "Metadata: '\(key)' is no key; allowed are a-z, 0-9 and -")
            let index = entries.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): entries[index] = Entry(key: key, value: value)
            case (nil, let value?): entries.append(Entry(key: key, value: value))
            case (let index?, nil): entries.remove(at: index)
            case (nil, nil): break
            }
        }
    }

    /// Sets a valid key that a peer sent. `index` starts empty and belongs to this value: with many
    /// keys it spares the search, which would be quadratic in a number that the peer chose.
    mutating func set(_ value: String, for key: String, index: inout [String: Int]) {
        if entries.count < 16 {
            self[key] = value
            return
        }
        if index.isEmpty {
            for (place, entry) in entries.enumerated() { index[entry.key] = place }
        }
        if let place = index[key] {
            entries[place] = Entry(key: key, value: value)
        } else {
            index[key] = entries.count
            entries.append(Entry(key: key, value: value))
        }
    }

    /// Whether `key` is not empty and all of a-z, 0-9 and -.
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
    /// Later values of the same key replace earlier ones.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (key, value) in elements { self[key] = value }
    }
}

/// Metadata longer than a frame's err_info may be.
public struct MetadataTooLarge: Error, Hashable, Sendable, CustomStringConvertible {
    /// Bytes that the block would take.
    public let bytes: Int
    /// Bytes that it may take.
    public let limit: Int

    /// A refusal of a block of `bytes` bytes.
    public init(bytes: Int, limit: Int) {
        self.bytes = bytes
        self.limit = limit
    }

    /// Both figures in a sentence.
    public var description: String { "metadata takes \(bytes) bytes, \(limit) are allowed" }
}
