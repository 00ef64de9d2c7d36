public import RocketBase

/// Compresses and decompresses whole messages with the states of zlib and zstd, which it makes when they
/// are first needed and then keeps: no memory is allocated per message. One per event loop, or per
/// connection; not Sendable, one thread at a time.
///
/// A failure leaves the output as it was, and the next message is not affected.
public final class Compressor: MessageCompressor {
    /// The settings that it was made with.
    public let compression: Compression
    private var gzip: Deflater?
    private var deflate: Deflater?
    private var inflate: Inflater?
    private var zstd: ZstdCompressor?
    private var unzstd: ZstdDecompressor?

    /// Allocates nothing yet.
    public init(_ compression: Compression = Compression()) { self.compression = compression }

    /// Appends the compressed form of `bytes`, in one member or frame with a checksum.
    ///
    /// - Throws: `tooLarge` where it does not fit below `output`'s limit, `noMemory`.
    public func compress(
        _ bytes: RawSpan, with algorithm: CompressionAlgorithm, into output: inout ByteBuffer
    ) throws(CompressionError) {
        let count = output.readableBytes
        do throws(CompressionError) {
            switch algorithm {
            case .identity: try append(bytes, to: &output, atMost: .max)
            case .gzip:
                if gzip == nil {
                    gzip = try Deflater(isGzip: true, level: compression.zlibLevel)
                }
                try gzip?.compress(bytes, into: &output)
            case .deflate:
                if deflate == nil {
                    deflate = try Deflater(isGzip: false, level: compression.zlibLevel)
                }
                try deflate?.compress(bytes, into: &output)
            case .zstd:
                if zstd == nil { zstd = try ZstdCompressor(level: compression.zstdLevel) }
                try zstd?.compress(bytes, into: &output)
            }
        } catch {
            output.truncate(to: count)
            throw error
        }
    }

    /// Appends the message whose compressed form `bytes` is, all of it: several members of gzip, or
    /// frames of zstd, are one message.
    ///
    /// - Parameter limit: the largest number of bytes to append, which holds while they are produced:
    ///   `output` never grows beyond it, rounded up as `ByteBuffer` does. The limit of `output` holds
    ///   as well.
    /// - Throws: `truncated`, `corrupt`, `checksumMismatch`, `trailingBytes`, `tooLarge`,
    ///   `unsupported` or `noMemory`.
    public func decompress(
        _ bytes: RawSpan, with algorithm: CompressionAlgorithm, into output: inout ByteBuffer,
        atMost limit: Int
    ) throws(CompressionError) {
        let count = output.readableBytes
        let limit = max(0, min(limit, output.limitBytes - count))
        do throws(CompressionError) {
            switch algorithm {
            case .identity: try append(bytes, to: &output, atMost: limit)
            case .gzip, .deflate:
                if inflate == nil { inflate = try Inflater() }
                try inflate?.decompress(
                    bytes, isGzip: algorithm == .gzip, into: &output, atMost: limit)
            case .zstd:
                if unzstd == nil { unzstd = try ZstdDecompressor() }
                try unzstd?.decompress(bytes, into: &output, atMost: limit)
            }
        } catch {
            output.truncate(to: count)
            throw error
        }
    }

    /// Releases the states; the next message makes them again. For loops that are idle for long.
    public func releaseMemory() {
        gzip = nil
        deflate = nil
        inflate = nil
        zstd = nil
        unzstd = nil
    }

    private func append(
        _ bytes: RawSpan, to output: inout ByteBuffer, atMost limit: Int
    ) throws(CompressionError) {
        guard bytes.byteCount <= limit, output.reserve(bytes.byteCount) else {
            throw .tooLarge(limitBytes: min(limit, output.limitBytes - output.readableBytes))
        }
        output.append(bytes)
    }
}

// MARK: - Encodings by number

extension Compressor {
    /// As `compress(_:with:into:)`, with the position in `Compression.algorithms`.
    public func compress(
        _ bytes: RawSpan, encoding: Int, into output: inout ByteBuffer
    ) throws(CompressionError) {
        try compress(bytes, with: algorithm(encoding), into: &output)
    }

    /// As `decompress(_:with:into:atMost:)`, with the position in `Compression.algorithms`.
    public func decompress(
        _ bytes: RawSpan, encoding: Int, into output: inout ByteBuffer, atMost limit: Int
    ) throws(CompressionError) {
        try decompress(bytes, with: algorithm(encoding), into: &output, atMost: limit)
    }

    private func algorithm(_ encoding: Int) throws(CompressionError) -> CompressionAlgorithm {
        guard compression.algorithms.indices.contains(encoding) else {
            throw .unsupported("encoding \(encoding)")
        }
        return compression.algorithms[encoding]
    }
}
