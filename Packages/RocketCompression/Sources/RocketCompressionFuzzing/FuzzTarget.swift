public import RocketBase
public import RocketCompression

/// Checks of compression for arbitrary bytes, run by libFuzzer (Fuzz/) and by the corpus test. Can be
/// used on any thread.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case decompress
    case compress = "compress-decompress"

    /// Runs the check once. The first byte of the input chooses the algorithm.
    ///
    /// - Throws: `FuzzFinding` if a rule is broken. A trap is a finding, too.
    public func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let first = bytes.first else { return }
        let algorithms = CompressionAlgorithm.allCases
        let algorithm = algorithms[Int(first) % algorithms.count]
        switch self {
        case .decompress: try Self.decompress(Array(bytes.dropFirst()), algorithm)
        case .compress: try Self.compress(Array(bytes.dropFirst()), algorithm)
        }
    }

    /// Runs the check for libFuzzer: traps with the text of a finding.
    public func run(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        // SAFETY: libFuzzer passes `count` readable bytes.
        let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
        do {
            try run(bytes)
        } catch {
            preconditionFailure("\(rawValue): \(error)")
        }
    }

    /// Compresses with a state of its own.
    public static func compressed(
        _ bytes: [UInt8], _ algorithm: CompressionAlgorithm,
        by compressor: Compressor = Compressor()
    ) throws(CompressionError) -> [UInt8] {
        var output = ByteBuffer()
        // SAFETY: the span is of an array that lives and does not change to the end of the call.
        try unsafe compressor.compress(bytes.span.bytes, with: algorithm, into: &output)
        return output.copyBytes()
    }

    /// Decompresses with a state of its own.
    public static func decompressed(
        _ bytes: [UInt8], _ algorithm: CompressionAlgorithm, atMost limit: Int = .max,
        by compressor: Compressor = Compressor()
    ) throws(CompressionError) -> [UInt8] {
        var output = ByteBuffer()
        // SAFETY: the span is of an array that lives and does not change to the end of the call.
        try unsafe compressor.decompress(
            bytes.span.bytes, with: algorithm, into: &output, atMost: limit)
        return output.copyBytes()
    }
}

/// A rule that is broken.
public struct FuzzFinding: Error, CustomStringConvertible {
    /// Description of the violation.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// Throws a finding unless `condition` holds.
func require(_ condition: Bool, _ rule: @autoclosure () -> String) throws(FuzzFinding) {
    if !condition { throw FuzzFinding(rule()) }
}
