import RocketBase

@testable import RocketRPC

/// A compression for tests: pairs of a count and a byte. Counts what it did.
final class RunLengths: MessageCompression, MessageCompressor {
    let encodings: [String]

    init(_ encodings: [String] = ["runs"]) { self.encodings = encodings }

    func makeCompressor() -> any MessageCompressor { RunLengths(encodings) }

    func compress(
        _ bytes: RawSpan, encoding: Int, into output: inout ByteBuffer
    ) throws(CompressionError) {
        var index = 0
        while index < bytes.byteCount {
            let byte = bytes.byte(index)
            var count = 1
            while count < 255, index + count < bytes.byteCount, bytes.byte(index + count) == byte {
                count += 1
            }
            output.append(byte: UInt8(count))
            output.append(byte: byte)
            index += count
        }
    }

    func decompress(
        _ bytes: RawSpan, encoding: Int, into output: inout ByteBuffer, atMost limit: Int
    ) throws(CompressionError) {
        guard bytes.byteCount.isMultiple(of: 2) else { throw .truncated }
        let start = output.readableBytes
        for index in stride(from: 0, to: bytes.byteCount, by: 2) {
            for _ in 0..<bytes.byte(index) { output.append(byte: bytes.byte(index + 1)) }
            if output.readableBytes - start > limit {
                output.truncate(to: start)
                throw .tooLarge(limitBytes: limit)
            }
        }
    }
}

/// The compressed form of bytes.
func runs(_ bytes: [UInt8]) throws(CompressionError) -> [UInt8] {
    var output = ByteBuffer()
    try RunLengths().compress(bytes.span.bytes, encoding: 0, into: &output)
    return output.copyBytes()
}
