/// Thrown for metadata that can't be encoded.
public enum MetadataError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The block has more bytes than its receiver takes.
    case tooLarge(bytes: Int, limit: Int)
    /// The key is empty or contains other characters than a-z, 0-9, `_`, `.` and `-`.
    case invalidKey(String)
    /// A key of a reply's metadata begins with `trailing-`, which marks trailing metadata.
    case reservedKey(String)

    /// The error in one line: with both lengths, or with the key.
    public var description: String {
        switch self {
        case .tooLarge(let bytes, let limit):
            return "metadata takes \(bytes) bytes, \(limit) are allowed"
        case .invalidKey(let key):
            return "metadata has the key \(Self.shown(key)); allowed are a-z, 0-9, _, . and -"
        case .reservedKey(let key):
            return "metadata has the key \(Self.shown(key)); `trailing-` marks trailing metadata, "
                + "so set it there"
        }
    }

    private static func shown(_ key: String) -> String {
        String(reflecting: key.count > 60 ? key.prefix(60) + "…" : key)
    }
}
