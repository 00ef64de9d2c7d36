/// Makes the compressors of a server or a channel, which is given one so that RocketRPC links no library
/// for it. `Compression` of the product RocketCompression is one. Any thread.
public protocol MessageCompression: Sendable {
    /// The names of the encodings as they travel in metadata, best first: `["zstd", "gzip"]`. Lower case,
    /// `[a-z0-9-]+`, without `identity`; at most 8, as more are not announced.
    var encodings: [String] { get }

    /// Returns a compressor for one event loop, which uses it for all of its connections.
    func makeCompressor() -> any MessageCompressor
}

/// Compresses and decompresses messages, one after the other. Not Sendable: one thread at a time. Keeps
/// its memory between messages, but nothing of a message.
///
/// Encodings are named by their position in `MessageCompression.encodings`; any other number throws
/// `unsupported`.
public protocol MessageCompressor: AnyObject {
    /// Appends the compressed form of `bytes`.
    ///
    /// - Throws: `tooLarge` where `output` has no room for it below its limit, `noMemory`. `output` is
    ///   then as before.
    func compress(
        _ bytes: RawSpan, encoding: Int, into output: inout ByteBuffer) throws(CompressionError)

    /// Appends the message whose compressed form `bytes` is, all of it.
    ///
    /// - Parameter limit: the largest number of bytes to append. It holds while bytes are
    ///   decompressed: what is beyond it is never produced.
    /// - Throws: any `CompressionError`. `output` is then as before.
    func decompress(
        _ bytes: RawSpan, encoding: Int, into output: inout ByteBuffer, atMost limit: Int
    ) throws(CompressionError)
}
