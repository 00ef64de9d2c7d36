/// How a message is compressed. The raw value is its name in metadata and in gRPC's headers.
public enum CompressionAlgorithm: String, CaseIterable, Sendable {
    /// Not at all.
    case identity
    /// RFC 1952: a deflate stream with a header, a checksum and the length modulo 2^32.
    case gzip
    /// RFC 1950, zlib's format, which is what gRPC and HTTP call deflate.
    case deflate
    /// RFC 8878: smaller than gzip in a fraction of its time.
    case zstd
}
