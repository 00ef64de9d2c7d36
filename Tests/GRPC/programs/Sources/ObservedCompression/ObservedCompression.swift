public import RocketBase
public import RocketCompression
import RocketSystem

/// Compression that says which messages were compressed, and compresses those that it is told to: gRPC's
/// interoperability cases check that, and applications have no use for it. For one call at a time. Any
/// thread.
public final class ObservedCompression: MessageCompression {
    private struct State {
        var decisions: [Bool] = []
        var decompressed = 0
    }

    private let compression: Compression
    private let state = Locked(State())

    /// With these algorithms, best first.
    public init(_ algorithms: [CompressionAlgorithm]) { compression = Compression(algorithms) }

    /// The names of the algorithms.
    public var encodings: [String] { compression.encodings }

    /// Returns a compressor that asks this object.
    public func makeCompressor() -> any MessageCompressor {
        ObservedCompressor(compression.makeCompressor(), self)
    }

    /// Decides on the next message for which there is no decision yet. Messages without a decision are
    /// compressed.
    public func compressNext(_ isCompressed: Bool) {
        state.withLock { $0.decisions.append(isCompressed) }
    }

    /// Forgets the decisions that were not used.
    public func startOver() { state.withLock { $0 = State() } }

    /// Whether messages were decompressed since this was called last.
    public func hasDecompressed() -> Bool {
        state.withLock { state in
            defer { state.decompressed = 0 }
            return state.decompressed > 0
        }
    }

    fileprivate func decide() -> Bool {
        state.withLock { $0.decisions.isEmpty ? true : $0.decisions.removeFirst() }
    }

    fileprivate func decompressed() { state.withLock { $0.decompressed += 1 } }
}

private final class ObservedCompressor: MessageCompressor {
    private let compressor: any MessageCompressor
    private let observed: ObservedCompression

    init(_ compressor: any MessageCompressor, _ observed: ObservedCompression) {
        self.compressor = compressor
        self.observed = observed
    }

    func compress(
        _ bytes: RawSpan, encoding: Int, into output: inout ByteBuffer
    ) throws(CompressionError) {
        // A message that gets no smaller is sent as it is.
        if !observed.decide() { throw .tooLarge(limitBytes: 0) }
        try compressor.compress(bytes, encoding: encoding, into: &output)
    }

    func decompress(
        _ bytes: RawSpan, encoding: Int, into output: inout ByteBuffer, atMost limit: Int
    ) throws(CompressionError) {
        try compressor.decompress(bytes, encoding: encoding, into: &output, atMost: limit)
        observed.decompressed()
    }
}
