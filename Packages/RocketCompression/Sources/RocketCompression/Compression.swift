public import RocketBase

/// What servers and channels are given so that they compress messages: which algorithms, best first, and
/// how hard they try. A value; any thread.
public struct Compression: MessageCompression, Sendable, Hashable {
    /// Best first, without `identity` and without repetitions.
    public let algorithms: [CompressionAlgorithm]
    /// Of gzip and deflate: 1 (fast) to 9 (small); default: 6. Their state is 256 KiB.
    public let zlibLevel: Int
    /// Of zstd: 1 (fast) to 9 (small); default: 3. Its state grows with the longest message and the
    /// level: 1.3 MiB at 3, 12 MiB at 9.
    public let zstdLevel: Int

    /// - Parameters:
    ///   - algorithms: best first; `identity` and repetitions are left out.
    ///   - zlibLevel: values out of range become the nearest one that is allowed.
    ///   - zstdLevel: as zlibLevel.
    public init(
        _ algorithms: [CompressionAlgorithm] = [.zstd, .gzip], zlibLevel: Int = 6,
        zstdLevel: Int = 3
    ) {
        var chosen: [CompressionAlgorithm] = []
        for algorithm in algorithms where algorithm != .identity && !chosen.contains(algorithm) {
            chosen.append(algorithm)
        }
        self.algorithms = chosen
        self.zlibLevel = min(max(zlibLevel, 1), 9)
        self.zstdLevel = min(max(zstdLevel, 1), 9)
    }

    /// The names of `algorithms`.
    public var encodings: [String] { algorithms.map(\.rawValue) }

    /// Returns a `Compressor` for one event loop.
    public func makeCompressor() -> any MessageCompressor { Compressor(self) }
}
