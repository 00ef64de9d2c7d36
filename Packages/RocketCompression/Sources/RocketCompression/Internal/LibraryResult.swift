import CRocketCompression
import RocketBase

extension CompressionError {
    /// The error that a result of the C functions stands for; `FULL` is for its caller to handle.
    ///
    /// - Parameter left: bytes of the input that the call has not taken.
    init(_ result: rocket_compression_result, left: Int) {
        switch unsafe result.status {
        case ROCKET_COMPRESSION_TRUNCATED: self = .truncated
        case ROCKET_COMPRESSION_CHECKSUM: self = .checksumMismatch
        case ROCKET_COMPRESSION_TRAILING: self = .trailingBytes(count: left)
        case ROCKET_COMPRESSION_DICTIONARY: self = .unsupported("it needs a dictionary")
        case ROCKET_COMPRESSION_WINDOW: self = .unsupported("its window is too large")
        case ROCKET_COMPRESSION_NO_MEMORY: self = .noMemory
        default:
            // SAFETY: the library's reasons are constants that end with a zero.
            self = unsafe .corrupt(result.reason.map { unsafe String(cString: $0) } ?? "unknown")
        }
    }
}

/// Compresses a whole message by one call of C, into room for the worst case.
///
/// - Parameter body: input, room, result.
func compressOnce(
    _ bytes: RawSpan, bound: Int, into output: inout ByteBuffer,
    _ body: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> rocket_compression_result
) throws(CompressionError) {
    let left = output.limitBytes - output.readableBytes
    let room = min(bound, left)
    guard room > 0 else { throw .tooLarge(limitBytes: left) }
    var failure: CompressionError?
    // SAFETY: the pointers do not escape from the closures, and C writes at most `room` bytes.
    _ = unsafe output.write(minimum: room) { space in
        unsafe bytes.withUnsafeBytes { input in
            let result = unsafe body(input, UnsafeMutableRawBufferPointer(rebasing: space[..<room]))
            if unsafe result.status == ROCKET_COMPRESSION_DONE { return unsafe result.written }
            failure =
                unsafe result.status == ROCKET_COMPRESSION_FULL
                ? .tooLarge(limitBytes: left) : CompressionError(result, left: 0)
            return 0
        }
    }
    if let failure { throw failure }
}
