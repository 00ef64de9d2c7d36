import RocketBase
import RocketHTTP2
@_spi(Transport) import RocketRPC
import RocketSystem

/// One call on a server's connection of gRPC. Bound to the connection's loop; used again for another
/// call after its end.
final class ServerStream {
    // SAFETY of the unchecked properties: bound to the loop, and nothing that runs inside an access to
    // one of them uses it again. The checks cost a fifth of a call.
    /// Its stream, and its number in the connection's table.
    private(set) var id = HTTP2StreamID(rawValue: 0)
    var number = 0
    /// The stream's number in decimal: the msg_id of its frames.
    @exclusivity(unchecked) private(set) var messageID = ByteBuffer()
    var kind = RPCMethodKind.unary

    /// A call with one request: the frame with it, so far.
    @exclusivity(unchecked) var frame = ByteBuffer()
    /// When that request has to have arrived; nil: any time.
    var requestDeadline: MonotonicTime?
    /// Reads that request; nil: nothing more is read into `frame`.
    @exclusivity(unchecked) var collector: MessageCollector?
    /// Set if it is a call of Connect, which has neither of `collector`, `input` and trailers.
    var connect: ConnectCall?
    /// Passes on a stream of requests; nil: there is none.
    @exclusivity(unchecked) var input: StreamInput?
    @exclusivity(unchecked) var output = StreamOutput()
    /// What is sent at the end.
    @exclusivity(unchecked) var trailers = HTTP2Headers()
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
        unsafe messageID.removeAll()
        unsafe messageID.append(decimal: Int(id.rawValue))
    }

    /// Forgets the call.
    func end() {
        unsafe frame.removeAll()
        unsafe frame.shrink(keepBytes: 4 << 10)
        requestDeadline = nil
        unsafe collector = nil
        unsafe input = nil
        if connect != nil { connect = nil }
        unsafe output.end()
        // Not `removeAll`: the memory may be that of the plain trailers.
        unsafe trailers = HTTP2Headers()
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
        unsafe frame.readableBytes + (collector?.heldBytes ?? 0) + (input?.heldBytes ?? 0)
            + (connect?.heldBytes ?? 0)
    }

    /// Bytes that it holds of responses.
    var heldReplyBytes: Int { unsafe output.heldBytes + trailers.listBytes }

    /// Drops what has come of the request: nobody will see it.
    func dropInput() {
        unsafe frame.removeAll()
        unsafe collector = nil
        unsafe input = nil
        connect?.drop()
    }

    /// Whether its one request is being received.
    var isCollecting: Bool { unsafe collector != nil || connect?.isCollecting ?? false }
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
