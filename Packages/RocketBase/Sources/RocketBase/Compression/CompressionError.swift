/// Why a message can't be compressed or decompressed.
public enum CompressionError: Error, Hashable, Sendable {
    /// The compressed bytes end before their end mark.
    case truncated
    /// The compressed bytes break the format. The text is the library's.
    case corrupt(String)
    /// The decompressed bytes do not have the checksum or length that was sent with them.
    case checksumMismatch
    /// Bytes follow the end mark that begin no further member or frame.
    case trailingBytes(count: Int)
    /// The result has more bytes than are allowed. What was beyond the limit was not produced.
    case tooLarge(limitBytes: Int)
    /// The bytes need what is not supported: a dictionary, or an encoding that nobody has.
    case unsupported(String)
    /// There is no memory for the state of the library.
    case noMemory
}

extension CompressionError: CustomStringConvertible {
    /// What is wrong, in words.
    public var description: String {
        switch self {
        case .truncated: "compressed data ends too early"
        case .corrupt(let reason): "compressed data is corrupt: \(reason)"
        case .checksumMismatch: "message does not have its checksum or length"
        case .trailingBytes(let count): "\(count) bytes follow the compressed data"
        case .tooLarge(let limit): "message is longer than the limit of \(limit) bytes"
        case .unsupported(let what): "compressed data is not supported: \(what)"
        case .noMemory: "no memory to compress or decompress"
        }
    }
}
