import CRocketCompression
import RocketBase

/// Owns the state of zlib that decompresses, both formats.
@safe
struct Inflater: ~Copyable {
    private let state: OpaquePointer
    /// Deflate makes 258 bytes of 2 bits at the most.
    private static let greatestRatio = 1_032

    init() throws(CompressionError) {
        guard let state = unsafe rocket_inflate_create() else { throw .noMemory }
        unsafe self.state = state
    }

    deinit { unsafe rocket_inflate_destroy(state) }

    func decompress(
        _ bytes: RawSpan, isGzip: Bool, into output: inout ByteBuffer, atMost limit: Int
    ) throws(CompressionError) {
        unsafe rocket_inflate_begin(state, isGzip ? 1 : 0)
        var taken = 0
        var produced = 0
        var room = firstRoom(bytes, isGzip)
        while true {
            // At the limit a byte more tells whether the message is longer.
            room = max(1, min(room, limit - produced))
            let isProbe = produced == limit
            let rest = bytes.extracting(droppingFirst: taken)
            let result =
                isProbe ? unsafe probe(rest) : unsafe next(rest, into: &output, room: room)
            taken += unsafe result.taken
            produced += unsafe result.written
            if produced > limit { throw .tooLarge(limitBytes: limit) }
            switch unsafe result.status {
            case ROCKET_COMPRESSION_DONE: return
            case ROCKET_COMPRESSION_FULL:
                // Doubles; the last step is larger, so that what is copied is at most half the limit.
                room = produced < limit / 4 ? produced : limit - produced
            default: throw unsafe CompressionError(result, left: bytes.byteCount - taken)
            }
        }
    }

    /// How much room is made at first: what gzip's last four bytes say, or three times the input; never
    /// more than the input can become.
    private func firstRoom(_ bytes: RawSpan, _ isGzip: Bool) -> Int {
        let count = bytes.byteCount
        let (most, overflow) = count.multipliedReportingOverflow(by: Self.greatestRatio)
        var expected = count > .max / 4 ? count : count * 3
        if isGzip, count >= 4 {
            // SAFETY: four bytes before the end of the span.
            let length = unsafe bytes.unsafeLoadUnaligned(
                fromByteOffset: count - 4, as: UInt32.self)
            expected = Int(UInt32(littleEndian: length))
        }
        return max(64, overflow ? expected : min(expected, most))
    }

    private func next(
        _ rest: RawSpan, into output: inout ByteBuffer, room: Int
    ) -> rocket_compression_result {
        var result = unsafe rocket_compression_result()
        // SAFETY: the pointers do not escape from the closures, and C writes at most `room` bytes.
        _ = unsafe output.write(minimum: room) { space in
            unsafe rest.withUnsafeBytes { input in
                unsafe result = rocket_inflate_next(
                    state, input.assumingMemoryBound(to: UInt8.self).baseAddress, input.count,
                    space.assumingMemoryBound(to: UInt8.self).baseAddress, room)
            }
            return unsafe result.written
        }
        return unsafe result
    }

    private func probe(_ rest: RawSpan) -> rocket_compression_result {
        var byte: UInt8 = 0
        return unsafe rest.withUnsafeBytes { input in
            unsafe rocket_inflate_next(
                state, input.assumingMemoryBound(to: UInt8.self).baseAddress, input.count, &byte, 1)
        }
    }
}
