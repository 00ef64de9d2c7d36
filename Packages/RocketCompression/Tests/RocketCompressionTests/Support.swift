import RocketBase
import RocketCompression
import RocketCompressionFuzzing

/// All algorithms that change bytes.
let realAlgorithms: [CompressionAlgorithm] = [.gzip, .deflate, .zstd]

/// Bytes that can be compressed, the same for each run.
func text(_ count: Int) -> [UInt8] {
    var state: UInt64 = 19
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(97 + (state >> 61))
    }
}

/// What decompressing results in.
func outcome(
    _ bytes: [UInt8], _ algorithm: CompressionAlgorithm, atMost limit: Int = 1 << 20
) -> Result<[UInt8], CompressionError> {
    do throws(CompressionError) {
        return .success(try FuzzTarget.decompressed(bytes, algorithm, atMost: limit))
    } catch { return .failure(error) }
}

/// A frame of zstd of blocks that repeat one byte, each 4 bytes long.
///
/// - Parameter length: what the frame says that its content has; nil: it does not say.
func repetitions(blocks: Int, of size: Int, length: UInt32? = nil) -> [UInt8] {
    var frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]
    if let length {
        frame.append(0xa0)
        for shift in [0, 8, 16, 24] { frame.append(UInt8(truncatingIfNeeded: length >> shift)) }
    } else {
        frame += [0x00, 0x38]
    }
    for block in 0..<blocks {
        let header = UInt32(block == blocks - 1 ? 1 : 0) | 2 | UInt32(size) << 3
        for shift in [0, 8, 16] { frame.append(UInt8(truncatingIfNeeded: header >> shift)) }
        frame.append(0x61)
    }
    return frame
}
