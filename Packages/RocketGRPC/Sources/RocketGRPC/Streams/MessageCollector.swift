import RocketBase

/// Collects the one message of a call that is not streamed, behind what its buffer has already: the
/// start of the frame that will contain it.
struct MessageCollector: ~Copyable {
    private var reader: MessageReader
    private var messages = 0
    /// How the message is compressed if its prefix says so.
    private let encoding: MessageEncoding
    private var isCompressed = false
    /// The compressed message so far.
    private var compressed = ByteBuffer()

    init(maxMessageBytes: Int, encoding: MessageEncoding) {
        reader = MessageReader(maxMessageBytes: maxMessageBytes)
        self.encoding = encoding
    }

    /// Bytes that it holds itself.
    var heldBytes: Int { compressed.readableBytes }

    /// Takes bytes of the stream, all of them.
    ///
    /// - Throws: a message over the limit, a second message, an invalid prefix, or a message that
    ///   can't be decompressed.
    mutating func receive(
        _ bytes: RawSpan, into buffer: inout ByteBuffer, _ compressor: (any MessageCompressor)?
    ) throws(WireFailure) {
        var offset = 0
        while let step = try reader.next(bytes, from: offset) {
            offset = step.next
            switch step.piece {
            case .prefix(let prefix):
                messages += 1
                if messages > 1 { throw Self.cardinality("more than one message") }
                if prefix.isCompressed {
                    try Decompression.check(encoding)
                    isCompressed = true
                }
            case .bytes(let range, let isLast):
                if !isCompressed {
                    buffer.append(bytes.extracting(range))
                    continue
                }
                compressed.append(bytes.extracting(range))
                if isLast {
                    try Decompression.run(
                        compressed, encoding, into: &buffer, atMost: reader.maxMessageBytes,
                        compressor)
                    compressed = ByteBuffer()
                }
            }
        }
    }

    /// - Throws: unless exactly one message has been received.
    func end() throws(WireFailure) {
        if !reader.isBetweenMessages {
            throw WireFailure(.internal, "the stream ended within a message")
        }
        if messages == 0 { throw Self.cardinality("no message") }
    }

    private static func cardinality(_ found: String) -> WireFailure {
        WireFailure(.unimplemented, "a stream with \(found), where one is expected")
    }
}

/// Decompresses whole messages.
enum Decompression {
    /// - Throws: INTERNAL for a compressed message of a stream that has no encoding, as gRPC demands.
    static func check(_ encoding: MessageEncoding) throws(WireFailure) {
        if encoding == .identity {
            throw WireFailure(.internal, "a compressed message, but no grpc-encoding")
        }
    }

    /// Appends the message.
    static func run(
        _ bytes: borrowing ByteBuffer, _ encoding: MessageEncoding, into buffer: inout ByteBuffer,
        atMost limit: Int, _ compressor: (any MessageCompressor)?
    ) throws(WireFailure) {
        guard case .number(let number) = encoding, let compressor else {
            throw WireFailure(.internal, "a compressed message, but no grpc-encoding")
        }
        do throws(CompressionError) {
            try bytes.withBytes { (bytes) throws(CompressionError) in
                try compressor.decompress(bytes, encoding: number, into: &buffer, atMost: limit)
            }
        } catch {
            if case .tooLarge = error {
                throw WireFailure(.resourceExhausted, "the message: \(error)")
            }
            throw WireFailure(.internal, "the message: \(error)")
        }
    }
}
