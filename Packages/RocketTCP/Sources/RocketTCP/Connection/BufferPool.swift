import RocketBase

/// Empty buffers that wait for the next connection that needs one. A value with a bound.
struct BufferPool: ~Copyable {
    /// So many are kept at most.
    static let slots = 256
    /// Larger ones are freed instead.
    static let keepBytes = 64 << 10
    /// A new one begins with this much.
    static let firstBytes = 1 << 10

    private var kept = InlineArray<256, ByteBuffer> { _ in ByteBuffer() }
    private var count = 0

    /// Puts memory into `buffer`, which has none.
    mutating func take(into buffer: inout ByteBuffer) {
        if count > 0 {
            count -= 1
            swap(&kept[count], &buffer)
        } else {
            _ = buffer.reserve(Self.firstBytes)
        }
    }

    /// Takes the memory of `buffer`, which is empty, away.
    mutating func give(from buffer: inout ByteBuffer) {
        if buffer.capacityBytes == 0 { return }
        if buffer.capacityBytes > Self.keepBytes || count == Self.slots {
            buffer.shrink()
        } else {
            swap(&kept[count], &buffer)
            count += 1
        }
    }
}
