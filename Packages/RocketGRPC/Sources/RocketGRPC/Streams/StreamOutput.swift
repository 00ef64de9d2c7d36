import RocketBase

/// The messages of a call on their way to HTTP/2's DATA: in gRPC's framing, until the peer's window
/// takes them. Parts of a message wait until the message is whole, because its length precedes it.
struct StreamOutput: ~Copyable {
    /// Whole messages, and behind them the start of one whose rest has not come.
    private var bytes = ByteBuffer()
    /// How many of the bytes are those of whole messages.
    private var wholeBytes = 0
    /// Whether bytes behind `wholeBytes` are those of a message, which may have none yet.
    private var isWithinMessage = false
    /// What the RPC side may send on this stream.
    private var window = StreamWindow(size: 0, announced: 0)
    private var encoding = MessageEncoding.identity

    /// Messages of less bytes are not compressed: that would make them longer.
    static let leastCompressedBytes = 256

    init() {}

    /// Begins another call, with the memory of the last one.
    ///
    /// - Parameters:
    ///   - windowBytes: how much may wait; the RPC side is allowed as much from the beginning.
    ///   - encoding: what messages are compressed by.
    mutating func begin(windowBytes: Int, encoding: MessageEncoding) {
        end()
        window = StreamWindow(size: windowBytes, announced: UInt64(windowBytes))
        self.encoding = encoding
    }

    /// The messages that follow are not compressed.
    mutating func stopCompressing() { encoding = .identity }

    /// Drops what waits.
    mutating func end() {
        bytes.removeAll()
        bytes.shrink(keepBytes: 4 << 10)
        wholeBytes = 0
        isWithinMessage = false
    }

    /// Bytes that may be sent.
    var sendableBytes: Int { wholeBytes }
    /// All bytes that wait.
    var heldBytes: Int { bytes.readableBytes }

    /// Appends a message, or a part of one.
    ///
    /// - Returns: whether there is more to send than before.
    mutating func append(
        _ part: RawSpan, isLast: Bool, _ compressor: (any MessageCompressor)?
    ) -> Bool {
        window.receive(part.byteCount)
        if !isWithinMessage {
            isWithinMessage = true
            // The length is set at the end of the message.
            MessagePrefix(isCompressed: false, length: 0).append(to: &bytes)
        }
        bytes.append(part)
        if !isLast { return false }
        isWithinMessage = false
        let length = bytes.readableBytes - wholeBytes - MessagePrefix.byteCount
        if length < Self.leastCompressedBytes || !compress(length, compressor) {
            bytes.set(bigEndian: UInt32(truncatingIfNeeded: length), at: wholeBytes + 1)
        }
        wholeBytes = bytes.readableBytes
        return true
    }

    /// Appends a body that has no framing: of a call of Connect.
    mutating func append(body: [UInt8]) {
        bytes.append(body)
        wholeBytes = bytes.readableBytes
    }

    /// Compresses the last message.
    ///
    /// - Returns: false if it stays as it is, because that is shorter.
    private mutating func compress(_ length: Int, _ compressor: (any MessageCompressor)?) -> Bool {
        guard case .number(let number) = encoding, let compressor else { return false }
        var compressed = ByteBuffer(limitBytes: length)
        let start = wholeBytes + MessagePrefix.byteCount
        do throws(CompressionError) {
            try bytes.withBytes { (bytes) throws(CompressionError) in
                try compressor.compress(
                    bytes.extracting(start...), encoding: number, into: &compressed)
            }
        } catch { return false }
        bytes.truncate(to: wholeBytes)
        MessagePrefix(isCompressed: true, length: compressed.readableBytes).append(to: &bytes)
        compressed.withBytes { bytes.append($0) }
        return true
    }

    /// Passes the next bytes to `body`, at most `limit`, and removes them.
    mutating func take(atMost limit: Int, _ body: (RawSpan) -> Void) {
        let count = min(limit, wholeBytes)
        bytes.withBytes { body($0.extracting(first: count)) }
        bytes.consume(count)
        wholeBytes -= count
        if bytes.isEmpty, bytes.capacityBytes > 64 << 10 { bytes.shrink() }
    }

    /// - Returns: the limit to announce to the RPC side; nil: none.
    mutating func windowUpdate() -> UInt64? { window.update(held: wholeBytes) }
}
