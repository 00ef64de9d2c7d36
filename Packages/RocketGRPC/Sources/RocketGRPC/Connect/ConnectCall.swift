import RocketBase
@_spi(Transport) import RocketRPC

/// A call of Connect: the body of its request, on a stream of HTTP/2 or a connection of HTTP/1.1. Bound to
/// the connection's loop.
final class ConnectCall {
    let codec: ConnectCodec
    /// What the body is compressed by.
    private let encoding: MessageEncoding
    /// nil: no such method, and nothing is read.
    let types: MessageTypes?
    /// The longest body, compressed and not.
    private let maxBytes: Int
    /// The body so far.
    private var body = ByteBuffer()
    /// How many bytes have come of it.
    private var receivedBytes = 0
    /// The request is being received.
    private(set) var isCollecting: Bool
    /// The end of the body has come.
    private var isInputEnded = false
    /// The response, if it was made before.
    private var waiting: ConnectResponse?

    init(
        _ codec: ConnectCodec, _ encoding: MessageEncoding, _ types: MessageTypes?, maxBytes: Int
    ) {
        self.codec = codec
        self.encoding = encoding
        self.types = types
        self.maxBytes = maxBytes
        isCollecting = types != nil
    }

    /// Bytes that it holds.
    var heldBytes: Int { body.readableBytes + (waiting?.body.count ?? 0) }

    /// Takes a part of the body. What is above the limit, or comes after a refusal, is dropped.
    ///
    /// - Throws: RESOURCE_EXHAUSTED for more than twice the limit.
    func receive(_ bytes: RawSpan) throws(WireFailure) {
        receivedBytes += bytes.byteCount
        if isCollecting, receivedBytes <= maxBytes { return body.append(bytes) }
        body = ByteBuffer()
        if isTooLong { throw tooLong }
    }

    private var isTooLong: Bool { receivedBytes > 2 * maxBytes }

    /// Keeps a response until the end of the body: clients such as curl 7.88 lose one that comes while
    /// they are sending. Up to twice the limit of a body.
    ///
    /// - Returns: the response, if it is to be sent now.
    func keep(_ response: ConnectResponse) -> ConnectResponse? {
        if isInputEnded || isTooLong { return response }
        waiting = response
        return nil
    }

    /// - Returns: the response that waits for it.
    func takeWaiting() -> ConnectResponse? { waiting.take() }

    /// The body has ended, or is not waited for any more.
    func endInput() { isInputEnded = true }

    private var tooLong: WireFailure {
        WireFailure(.resourceExhausted, "the request has more than \(maxBytes) bytes")
    }

    /// Appends the request as a message of Protobuf: the body has ended.
    ///
    /// - Throws: INVALID_ARGUMENT for a body that is no message or can't be decompressed,
    ///   RESOURCE_EXHAUSTED for one that gets too long.
    func takeRequest(
        into frame: inout ByteBuffer, _ compressor: (any MessageCompressor)?
    ) throws(WireFailure) {
        guard isCollecting, let types else { return }
        isCollecting = false
        if receivedBytes > maxBytes { throw tooLong }
        var plain = ByteBuffer()
        if case .number(let number) = encoding, !body.isEmpty {
            try decompress(number, compressor, &plain)
        } else {
            swap(&plain, &body)
        }
        body = ByteBuffer()
        switch codec {
        case .proto: plain.withBytes { frame.append($0) }
        case .json:
            if plain.isEmpty {
                throw WireFailure(.invalidArgument, "the body is empty; send {} at least")
            }
            try JSONMessages.append(plain.copyBytes(), of: types.request, to: &frame)
        }
    }

    private func decompress(
        _ number: Int, _ compressor: (any MessageCompressor)?, _ plain: inout ByteBuffer
    ) throws(WireFailure) {
        guard let compressor else { return }
        do throws(CompressionError) {
            try body.withBytes { (bytes) throws(CompressionError) in
                try compressor.decompress(bytes, encoding: number, into: &plain, atMost: maxBytes)
            }
        } catch {
            if case .tooLarge = error {
                throw WireFailure(.resourceExhausted, "the body: \(error)")
            }
            throw WireFailure(.invalidArgument, "the body: \(error)")
        }
    }

    /// Nothing more is read.
    func drop() {
        isCollecting = false
        body = ByteBuffer()
    }
}
