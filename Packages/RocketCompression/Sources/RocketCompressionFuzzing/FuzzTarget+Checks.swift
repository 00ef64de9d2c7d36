import RocketBase
import RocketCompression

extension FuzzTarget {
    private static let limit = 64 << 10
    private static let mark: [UInt8] = [1, 2, 3]

    /// Any bytes: the limit holds, a failure changes nothing, and a state that has seen them is as good
    /// as a new one.
    static func decompress(
        _ bytes: [UInt8], _ algorithm: CompressionAlgorithm
    ) throws(FuzzFinding) {
        let used = Compressor()
        let first = outcome(bytes, algorithm, by: Compressor())
        var output = ByteBuffer()
        output.append(mark)
        var failure: CompressionError?
        do throws(CompressionError) {
            // SAFETY: the span is of an array that lives and does not change to the end of the call.
            try unsafe used.decompress(
                bytes.span.bytes, with: algorithm, into: &output, atMost: limit)
        } catch { failure = error }
        if let failure {
            try require(output.copyBytes() == mark, "a failure has changed the output")
            try require(first == .failure(failure), "with a new state: \(first), not \(failure)")
            return try roundTrip([1, 2, 3, 3, 3, 3], algorithm, by: used)
        }
        let content = Array(output.copyBytes().dropFirst(mark.count))
        try require(content.count <= limit, "\(content.count) bytes")
        try require(first == .success(content), "with a new state: \(first)")
        try roundTrip(content, algorithm, by: used)
        if content.isEmpty { return }
        let less = outcome(bytes, algorithm, by: used, atMost: content.count - 1)
        try require(
            less == .failure(.tooLarge(limitBytes: content.count - 1)),
            "a byte less is allowed: \(less)")
    }

    /// Any bytes become the same bytes again, and one less is not allowed.
    static func compress(
        _ bytes: [UInt8], _ algorithm: CompressionAlgorithm
    ) throws(FuzzFinding) {
        try roundTrip(bytes, algorithm, by: Compressor())
    }

    private static func roundTrip(
        _ bytes: [UInt8], _ algorithm: CompressionAlgorithm, by compressor: Compressor
    ) throws(FuzzFinding) {
        let small: [UInt8]
        do { small = try compressed(bytes, algorithm, by: compressor) } catch {
            throw FuzzFinding("compressing: \(error)")
        }
        let again = outcome(small, algorithm, by: compressor, atMost: bytes.count)
        try require(again == .success(bytes), "\(bytes.count) bytes come back as \(again)")
        if !bytes.isEmpty {
            let less = outcome(small, algorithm, by: compressor, atMost: bytes.count - 1)
            try require(
                less == .failure(.tooLarge(limitBytes: bytes.count - 1)),
                "a byte less is allowed: \(less)")
        }
    }

    private static func outcome(
        _ bytes: [UInt8], _ algorithm: CompressionAlgorithm, by compressor: Compressor,
        atMost limit: Int = limit
    ) -> Result<[UInt8], CompressionError> {
        do throws(CompressionError) {
            return .success(
                try decompressed(bytes, algorithm, atMost: limit, by: compressor))
        } catch { return .failure(error) }
    }
}
