import RocketBase
import RocketHTTP2
@_spi(Transport) import RocketRPC
import RocketSystem

/// One call on a server's connection of gRPC. Bound to the connection's loop; used again for another
/// call after its end.
final class ServerStream {
    /// Its stream, and its number in the connection's table.
    private(set) var id = HTTP2StreamID(rawValue: 0)
    var number = 0
    /// The stream's number in decimal: the msg_id of its frames.
    private(set) var messageID = ByteBuffer()
    var kind = RPCMethodKind.unary

    /// A call with one request: the frame with it, so far.
    var frame = ByteBuffer()
    /// When that request has to have arrived; nil: any time.
    var requestDeadline: MonotonicTime?
    /// Reads that request; nil: nothing more is read into `frame`.
    var collector: MessageCollector?
    /// Passes on a stream of requests; nil: there is none.
    var input: StreamInput?
    var output = StreamOutput()
    /// What is sent at the end.
    var trailers = HTTP2Headers()
    /// The encoding of its responses.
    var responseEncoding = MessageEncoding.identity

    /// The RPC side has its request, or the opening of its stream.
    var isPassed = false
    /// HEADERS of the response have been submitted.
    var areHeadersSent = false
    /// The end of the call has been submitted, or waits behind the messages in `output`.
    var isAnswered = false
    /// Bytes of DATA that are no credit for the client again.
    var unreturnedBytes = 0
    /// It is among those that wait for the credit of the connection.
    var isBlocked = false
    /// The session waits until there is more to send.
    var isWaiting = false
    /// Began after the drain did.
    var isLate = false
    /// The bytes of it that the connection has counted: of requests, of responses, and those of
    /// responses that are no stream.
    var countedRequestBytes = 0
    var countedOutputBytes = 0
    var countedReplyBytes = 0

    /// Begins a call.
    func begin(_ id: HTTP2StreamID, number: Int, _ kind: RPCMethodKind) {
        self.id = id
        self.number = number
        self.kind = kind
        messageID.removeAll()
        messageID.append(decimal: Int(id.rawValue))
    }

    /// Forgets the call.
    func end() {
        frame.removeAll()
        frame.shrink(keepBytes: 4 << 10)
        requestDeadline = nil
        collector = nil
        input = nil
        output.end()
        // Not `removeAll`: the memory may be that of the plain trailers.
        trailers = HTTP2Headers()
        responseEncoding = .identity
        isPassed = false
        unreturnedBytes = 0
        isBlocked = false
        areHeadersSent = false
        isAnswered = false
        isWaiting = false
        isLate = false
        countedRequestBytes = 0
        countedOutputBytes = 0
        countedReplyBytes = 0
    }

    /// Bytes that it holds of requests.
    var heldRequestBytes: Int {
        frame.readableBytes + (collector?.heldBytes ?? 0) + (input?.heldBytes ?? 0)
    }

    /// Bytes that it holds of responses.
    var heldReplyBytes: Int { output.heldBytes + trailers.listBytes }

    /// Drops what has come of the request: nobody will see it.
    func dropInput() {
        frame.removeAll()
        collector = nil
        input = nil
    }
}

extension RPCMethodKind {
    /// The value of `stream` in the frame that opens a stream; nil: a call without streams.
    var wireName: StaticString? {
        switch self {
        case .unary: nil
        case .clientStreaming: "c"
        case .serverStreaming: "s"
        case .bidirectionalStreaming: "b"
        }
    }

    /// The kind of that value.
    init?(wireName: RawSpan) {
        for kind in [Self.clientStreaming, .serverStreaming, .bidirectionalStreaming] {
            if let name = kind.wireName, wireName.equals(name) {
                self = kind
                return
            }
        }
        return nil
    }

    var streamsRequests: Bool { self == .clientStreaming || self == .bidirectionalStreaming }
    var streamsResponses: Bool { self == .serverStreaming || self == .bidirectionalStreaming }
}
