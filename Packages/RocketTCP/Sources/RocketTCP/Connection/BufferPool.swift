import RocketBase

/// Empty buffers that wait for the next connection that needs one. A value with a bound.
struct BufferPool: ~Copyable {
    /// So many are kept at most.
    static let slots = 256
    /// What any number of buffers may have; larger ones are kept within `largeBytes`.
    static let keepBytes = 64 << 10
    /// The most that all larger ones take together; beyond that they are freed. Without them each
    /// large delivery would cost its weight in page faults.
    static let largeBytes = 16 << 20
    /// A new one begins with this much.
    static let firstBytes = 1 << 10

    private var kept = InlineArray<256, ByteBuffer> { _ in ByteBuffer() }
    private var count = 0
    private var keptLargeBytes = 0

    /// Puts memory into `buffer`, which has none.
    mutating func take(into buffer: inout ByteBuffer) {
        if count > 0 {
            count -= 1
            swap(&kept[count], &buffer)
            if buffer.capacityBytes > Self.keepBytes { keptLargeBytes -= buffer.capacityBytes }
        } else {
            _ = buffer.reserve(Self.firstBytes)
        }
    }

    /// Takes the memory of `buffer`, which is empty, away.
    mutating func give(from buffer: inout ByteBuffer) {
        if buffer.capacityBytes == 0 { return }
        let large = buffer.capacityBytes > Self.keepBytes ? buffer.capacityBytes : 0
        if keptLargeBytes + large > Self.largeBytes || count == Self.slots {
            buffer.shrink()
        } else {
            keptLargeBytes += large
            swap(&kept[count], &buffer)
            count += 1
        }
    }
}
