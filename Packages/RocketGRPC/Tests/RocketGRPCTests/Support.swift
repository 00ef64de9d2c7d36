import RocketBase
import RocketCodec

@testable import RocketGRPC

/// Runs `body` with the bytes of a text.
func withBytes<Result, E: Error>(
    _ text: String, _ body: (RawSpan) throws(E) -> Result
) throws(E) -> Result {
    let bytes = [UInt8](text.utf8)
    return try body(bytes.span.bytes)
}

extension ByteBuffer {
    /// The readable bytes as text.
    var text: String { String(decoding: copyBytes(), as: UTF8.self) }
}
