import RocketBase

/// What precedes each message of gRPC: whether it is compressed, and its length in 4 bytes.
struct MessagePrefix: Hashable, Sendable {
    var isCompressed: Bool
    /// Bytes that follow.
    var length: Int

    static let byteCount = 5

    /// Appends the prefix.
    func append(to buffer: inout ByteBuffer) {
        buffer.append(byte: isCompressed ? 1 : 0)
        buffer.append(bigEndian: UInt32(truncatingIfNeeded: length))
    }
}

/// Finds the messages in the bytes of a stream, which may be torn anywhere. Keeps no bytes but
/// those of a prefix. A value.
struct MessageReader {
    /// What the next bytes are.
    enum Piece: Hashable {
        /// A message begins. Nothing of it has been read, and it is within the limit.
        case prefix(MessagePrefix)
        /// Bytes of the message; with `isLast` it ends. Empty only for a message without bytes.
        case bytes(Range<Int>, isLast: Bool)
    }

    /// A piece, and where the bytes after it begin.
    struct Step: Hashable {
        var piece: Piece
        var next: Int
    }

    /// The longest message, in bytes. A longer one fails before any of its bytes is read.
    var maxMessageBytes: Int
    private var prefix: UInt64 = 0
    private var prefixBytes = 0
    /// Bytes of the message that have not been read yet; nil: between two messages.
    private(set) var remaining: Int?

    init(maxMessageBytes: Int) { self.maxMessageBytes = maxMessageBytes }

    /// Whether all that has been read are whole messages: here a stream may end.
    var isBetweenMessages: Bool { remaining == nil && prefixBytes == 0 }

    /// Reads the next piece.
    ///
    /// - Parameters:
    ///   - bytes: those of the stream.
    ///   - start: where the bytes begin that have not been read.
    ///   - limit: the most bytes of a message that the piece may have; at least 1.
    /// - Returns: nil if more bytes are needed; they have all been read then.
    /// - Throws: RESOURCE_EXHAUSTED for a message over the limit, INTERNAL for an invalid prefix.
    ///   The rest of the stream can't be read.
    mutating func next(
        _ bytes: RawSpan, from start: Int, atMost limit: Int = .max
    ) throws(WireFailure) -> Step? {
        if let left = remaining {
            let count = min(left, bytes.byteCount - start, limit)
            if count == 0, left > 0 { return nil }
            remaining = left == count ? nil : left - count
            return Step(
                piece: .bytes(start..<(start + count), isLast: left == count), next: start + count)
        }
        var offset = start
        while prefixBytes < MessagePrefix.byteCount {
            if offset == bytes.byteCount { return nil }
            prefix = prefix << 8 | UInt64(bytes.byte(offset))
            prefixBytes += 1
            offset += 1
        }
        let flag = UInt8(truncatingIfNeeded: prefix >> 32)
        let length = Int(prefix & 0xFFFF_FFFF)
        guard flag < 2 else {
            throw WireFailure(.internal, "a message has the invalid flag \(flag)")
        }
        guard length <= maxMessageBytes else {
            throw WireFailure(
                .resourceExhausted,
                "the message has \(length) bytes; \(maxMessageBytes) are allowed")
        }
        prefix = 0
        prefixBytes = 0
        remaining = length
        return Step(
            piece: .prefix(MessagePrefix(isCompressed: flag == 1, length: length)), next: offset)
    }
}
