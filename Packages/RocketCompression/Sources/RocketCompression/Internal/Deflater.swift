import CRocketCompression
import RocketBase

/// Owns the state of zlib that compresses.
@safe
struct Deflater: ~Copyable {
    private let state: OpaquePointer

    init(isGzip: Bool, level: Int) throws(CompressionError) {
        guard let state = unsafe rocket_deflate_create(isGzip ? 1 : 0, CInt(level)) else {
            throw .noMemory
        }
        unsafe self.state = state
    }

    deinit { unsafe rocket_deflate_destroy(state) }

    func compress(_ bytes: RawSpan, into output: inout ByteBuffer) throws(CompressionError) {
        // SAFETY: the state is this value's; it is alive until deinit.
        let bound = unsafe rocket_deflate_bound(state, bytes.byteCount)
        try unsafe compressOnce(bytes, bound: bound, into: &output) { input, space in
            unsafe rocket_deflate_message(
                state, input.assumingMemoryBound(to: UInt8.self).baseAddress, input.count,
                space.assumingMemoryBound(to: UInt8.self).baseAddress, space.count)
        }
    }
}
