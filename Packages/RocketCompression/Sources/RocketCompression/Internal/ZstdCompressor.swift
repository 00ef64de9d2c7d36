import CRocketCompression
import RocketBase

/// Owns the state of zstd that compresses.
@safe
struct ZstdCompressor: ~Copyable {
    private let state: OpaquePointer

    init(level: Int) throws(CompressionError) {
        guard let state = unsafe rocket_zstd_create(CInt(level)) else { throw .noMemory }
        unsafe self.state = state
    }

    deinit { unsafe rocket_zstd_destroy(state) }

    func compress(_ bytes: RawSpan, into output: inout ByteBuffer) throws(CompressionError) {
        let bound = rocket_zstd_bound(bytes.byteCount)
        // SAFETY: the state is this value's; it is alive until deinit.
        try unsafe compressOnce(bytes, bound: bound, into: &output) { input, space in
            unsafe rocket_zstd_message(
                state, input.assumingMemoryBound(to: UInt8.self).baseAddress, input.count,
                space.assumingMemoryBound(to: UInt8.self).baseAddress, space.count)
        }
    }
}
