import CRocketCompression
import RocketBase

/// Owns the state of zstd that decompresses. Each frame is decompressed into the output directly, so
/// that the window which a frame asks for needs no memory of its own.
@safe
struct ZstdDecompressor: ~Copyable {
    private let state: OpaquePointer
    /// What a block of a frame becomes at the most; a block has 4 bytes at the least.
    private static let blockBytes = 128 << 10

    init() throws(CompressionError) {
        guard let state = unsafe rocket_unzstd_create() else { throw .noMemory }
        unsafe self.state = state
    }

    deinit { unsafe rocket_unzstd_destroy(state) }

    func decompress(
        _ bytes: RawSpan, into output: inout ByteBuffer, atMost limit: Int
    ) throws(CompressionError) {
        if bytes.isEmpty { throw .truncated }
        var taken = 0
        var left = limit
        while taken < bytes.byteCount {
            let rest = bytes.extracting(droppingFirst: taken)
            var content: UInt64 = 0
            let found = unsafe rest.withUnsafeBytes { input in
                unsafe rocket_unzstd_find(
                    input.assumingMemoryBound(to: UInt8.self).baseAddress, input.count, &content)
            }
            guard unsafe found.status == ROCKET_COMPRESSION_DONE else {
                if taken == 0, unsafe found.status == ROCKET_COMPRESSION_TRAILING {
                    throw .corrupt("Unknown frame descriptor")
                }
                throw unsafe CompressionError(found, left: rest.byteCount)
            }
            let frame = rest.extracting(first: unsafe found.taken)
            let known = content == .max ? nil : content
            if let known, known > UInt64(left) { throw .tooLarge(limitBytes: limit) }
            do throws(CompressionError) {
                left -= try decompress(
                    frame: frame, content: known.map { Int($0) }, into: &output, atMost: left)
            } catch .tooLarge {
                throw .tooLarge(limitBytes: limit)
            }
            taken += unsafe found.taken
        }
    }

    /// Returns the number of bytes of the frame's content.
    private func decompress(
        frame: RawSpan, content: Int?, into output: inout ByteBuffer, atMost limit: Int
    ) throws(CompressionError) -> Int {
        let count = frame.byteCount
        let blocks = count / 4 + 1
        let (most, overflow) = blocks.multipliedReportingOverflow(by: Self.blockBytes)
        let bound = min(overflow ? .max : most, content ?? .max, limit)
        var room =
            content == nil ? min(bound, max(4_096, count > .max / 4 ? count : count * 4)) : bound
        while true {
            let result = unsafe once(frame, into: &output, room: room)
            if unsafe result.status == ROCKET_COMPRESSION_DONE { return unsafe result.written }
            guard unsafe result.status == ROCKET_COMPRESSION_FULL else {
                throw unsafe CompressionError(result, left: 0)
            }
            if content != nil { throw .corrupt("longer than it says") }
            if room == bound { throw .tooLarge(limitBytes: limit) }
            room = room < bound / 4 ? room * 2 : bound
        }
    }

    private func once(
        _ frame: RawSpan, into output: inout ByteBuffer, room: Int
    ) -> rocket_compression_result {
        var result = unsafe rocket_compression_result()
        if room == 0 {
            // An empty frame; C needs an address.
            var byte: UInt8 = 0
            unsafe frame.withUnsafeBytes { input in
                unsafe result = rocket_unzstd_frame(
                    state, input.assumingMemoryBound(to: UInt8.self).baseAddress, input.count,
                    &byte, 0)
            }
            return unsafe result
        }
        // SAFETY: the pointers do not escape from the closures, and C writes at most `room` bytes.
        _ = unsafe output.write(minimum: room) { space in
            unsafe frame.withUnsafeBytes { input in
                unsafe result = rocket_unzstd_frame(
                    state, input.assumingMemoryBound(to: UInt8.self).baseAddress, input.count,
                    space.assumingMemoryBound(to: UInt8.self).baseAddress, room)
            }
            return unsafe result.status == ROCKET_COMPRESSION_DONE ? result.written : 0
        }
        return unsafe result
    }
}
