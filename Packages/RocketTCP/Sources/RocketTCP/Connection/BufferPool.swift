import RocketBase

/// Empty buffers for the next connection that needs one: the last one that was given is taken first,
/// so those that nothing uses are the first ones, which `releaseUnused` frees. A bounded value, owned
/// by its loop's `LoopConnections`.
struct BufferPool: ~Copyable {
    /// The most buffers that are kept.
    private static let slots = 256
    /// A buffer of at most this capacity is always kept while there is a slot.
    static let keepBytes = 64 << 10
    /// The most memory of all larger buffers together; others are freed. Keeping none would cost
    /// page faults over the whole length of each large delivery.
    private static let largeBytes = 16 << 20
    /// The capacity of a new buffer.
    private static let firstBytes = 1 << 10

    private var kept = InlineArray<256, ByteBuffer> { _ in ByteBuffer() }
    private var count = 0
    private var keptLargeBytes = 0
    /// The least `count` since `releaseUnused`: nothing has used so many of the first buffers.
    private var unused = 0
    /// The memory of all buffers that are kept.
    private(set) var bytes = 0

    /// Gives memory to `buffer`, which has none.
    mutating func take(into buffer: inout ByteBuffer) {
        if count > 0 {
            take(count - 1, into: &buffer)
        } else {
            _ = buffer.reserve(Self.firstBytes)
        }
    }

    /// Gives memory of at most `keepBytes` to `buffer`, which has none: for a few bytes that may
    /// stay for long, as the beginning of a message.
    mutating func takeSmall(into buffer: inout ByteBuffer) {
        var index = count - 1
        while index >= 0, kept[index].capacityBytes > Self.keepBytes { index -= 1 }
        if index >= 0 {
            take(index, into: &buffer)
        } else {
            _ = buffer.reserve(Self.firstBytes)
        }
    }

    /// The last one takes the place of the one that is taken: those behind it count as used.
    private mutating func take(_ index: Int, into buffer: inout ByteBuffer) {
        count -= 1
        if index < count { kept.swapAt(index, count) }
        swap(&kept[count], &buffer)
        unused = min(unused, index)
        bytes -= buffer.capacityBytes
        if buffer.capacityBytes > Self.keepBytes { keptLargeBytes -= buffer.capacityBytes }
    }

    /// Frees all buffers.
    mutating func removeAll() {
        while count > 0 {
            count -= 1
            kept[count].shrink()
        }
        keptLargeBytes = 0
        unused = 0
        bytes = 0
    }

    /// Frees the buffers that nothing has used since the last time.
    mutating func releaseUnused() {
        for index in 0..<count {
            if index < unused {
                bytes -= kept[index].capacityBytes
                if kept[index].capacityBytes > Self.keepBytes {
                    keptLargeBytes -= kept[index].capacityBytes
                }
                kept[index].shrink()
            } else {
                kept.swapAt(index - unused, index)
            }
        }
        count -= unused
        unused = count
    }

    /// Takes the memory of `buffer`, which is empty.
    mutating func give(from buffer: inout ByteBuffer) {
        if buffer.capacityBytes == 0 { return }
        let large = buffer.capacityBytes > Self.keepBytes ? buffer.capacityBytes : 0
        if keptLargeBytes + large > Self.largeBytes || count == Self.slots {
            buffer.shrink()
        } else {
            keptLargeBytes += large
            bytes += buffer.capacityBytes
            swap(&kept[count], &buffer)
            count += 1
        }
    }
}
