import RocketBase

/// The messages of a stream from HTTP/2 on their way into data frames: as far as the RPC side has
/// given credit. What is beyond waits, and is no credit for the peer: it holds at most HTTP/2's
/// window, and a compressed message and its plain form.
struct StreamInput: ~Copyable {
    private var reader: MessageReader
    /// What the RPC side takes of this stream.
    private(set) var credit: StreamCredit
    /// DATA that has not been taken.
    private var waiting = ByteBuffer()
    private let encoding: MessageEncoding
    /// The message that is read is compressed, and collected.
    private var isCompressed = false
    private var compressed = ByteBuffer()
    /// `compressed` is a whole message. It stays so until some of it can be passed on: its plain form
    /// may be a thousand times as long.
    private var isCompressedWhole = false
    /// The rest of a message that was decompressed.
    private var plain = ByteBuffer()
    /// Whether `plain` is one, which may be empty.
    private var hasPlain = false
    /// The peer has ended the stream.
    private var isEnded = false
    private var isEndPassed = false

    init(maxMessageBytes: Int, limit: UInt64, encoding: MessageEncoding) {
        reader = MessageReader(maxMessageBytes: maxMessageBytes)
        credit = StreamCredit(limit: limit)
        self.encoding = encoding
    }

    /// Bytes that wait.
    var heldBytes: Int { waiting.readableBytes + compressed.readableBytes + plain.readableBytes }

    /// Where the parts go, and what limits them beside the stream's own credit.
    struct Sink: ~Copyable {
        let frames: FrameWriter
        let compressor: (any MessageCompressor)?
    }

    mutating func raise(to limit: UInt64) { credit.raise(to: limit) }

    mutating func end() { isEnded = true }

    /// Takes bytes of the stream and passes on what is possible.
    ///
    /// - Returns: how many bytes have been taken, of these or earlier ones.
    mutating func receive(
        _ bytes: RawSpan, _ id: RawSpan, _ sink: borrowing Sink,
        _ connection: inout StreamCredit, into output: inout ByteBuffer
    ) throws(WireFailure) -> Int {
        if waiting.isEmpty {
            let taken = try pass(bytes, id, sink, &connection, &output)
            if taken < bytes.byteCount { waiting.append(bytes.extracting(taken...)) }
            return taken
        }
        waiting.append(bytes)
        return try resume(id, sink, &connection, into: &output)
    }

    /// Passes on more, after credit was given.
    ///
    /// - Returns: how many bytes have been taken.
    mutating func resume(
        _ id: RawSpan, _ sink: borrowing Sink, _ connection: inout StreamCredit,
        into output: inout ByteBuffer
    ) throws(WireFailure) -> Int {
        var bytes = ByteBuffer()
        swap(&bytes, &waiting)
        let taken = try bytes.withBytes { (bytes) throws(WireFailure) in
            try pass(bytes, id, sink, &connection, &output)
        }
        bytes.consume(taken)
        if bytes.isEmpty { bytes.shrink() }
        swap(&bytes, &waiting)
        return taken
    }

    /// Whether all messages have been passed on after the end of the stream. True once.
    ///
    /// - Throws: INTERNAL if the stream ended within a message.
    mutating func takeEnd() throws(WireFailure) -> Bool {
        guard isEnded, !isEndPassed, waiting.isEmpty, !isCompressedWhole, !hasPlain,
            reader.remaining != 0
        else {
            return false
        }
        isEndPassed = true
        if !reader.isBetweenMessages {
            throw WireFailure(.internal, "the stream ended within a message")
        }
        return true
    }

    private mutating func pass(
        _ bytes: RawSpan, _ id: RawSpan, _ sink: borrowing Sink,
        _ connection: inout StreamCredit, _ output: inout ByteBuffer
    ) throws(WireFailure) -> Int {
        var offset = 0
        while true {
            if hasPlain, !passPlain(id, sink, &connection, &output) { return offset }
            let allowed = allowed(connection)
            if isCompressedWhole {
                if allowed == 0 { return offset }
                try decompress(sink)
                continue
            }
            if reader.remaining != nil, !isCompressed, allowed == 0 { return offset }
            let most = isCompressed ? Int.max : max(1, allowed)
            guard let step = try reader.next(bytes, from: offset, atMost: most) else {
                return bytes.byteCount
            }
            offset = step.next
            switch step.piece {
            case .prefix(let prefix):
                isCompressed = prefix.isCompressed
                if isCompressed { try Decompression.check(encoding) }
            case .bytes(let range, let isLast):
                let part = bytes.extracting(range)
                if !isCompressed {
                    spend(part.byteCount, &connection)
                    sink.frames.appendData(id, part, isLast: isLast, to: &output)
                    continue
                }
                compressed.append(part)
                if isLast {
                    isCompressed = false
                    isCompressedWhole = true
                }
            }
        }
    }

    private func allowed(_ connection: StreamCredit) -> Int {
        min(credit.available, connection.available, FrameWriter.maxDataBytes)
    }

    private mutating func spend(_ bytes: Int, _ connection: inout StreamCredit) {
        credit.spend(max(1, bytes))
        connection.spend(max(1, bytes))
    }

    private mutating func decompress(_ sink: borrowing Sink) throws(WireFailure) {
        isCompressedWhole = false
        try Decompression.run(
            compressed, encoding, into: &plain, atMost: reader.maxMessageBytes, sink.compressor)
        compressed.removeAll()
        compressed.shrink(keepBytes: 4 << 10)
        hasPlain = true
    }

    /// Passes on what has been decompressed.
    ///
    /// - Returns: whether all of it has been passed on.
    private mutating func passPlain(
        _ id: RawSpan, _ sink: borrowing Sink, _ connection: inout StreamCredit,
        _ output: inout ByteBuffer
    ) -> Bool {
        while hasPlain {
            let count = min(plain.readableBytes, allowed(connection))
            if allowed(connection) == 0 { return false }
            let isLast = count == plain.readableBytes
            plain.withBytes {
                sink.frames.appendData(
                    id, $0.extracting(first: count), isLast: isLast, to: &output)
            }
            spend(count, &connection)
            plain.consume(count)
            hasPlain = !isLast
        }
        plain.shrink(keepBytes: 4 << 10)
        return true
    }
}
