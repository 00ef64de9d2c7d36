import RocketBase
import RocketCodec
import RocketHTTP2
@_spi(Transport) import RocketRPC

/// One call on a channel's connection of gRPC. Bound to the connection's loop; used again for another
/// call after its end.
final class ClientStream {
    /// nil: the request could not be submitted.
    var id: HTTP2StreamID?
    /// Its number in the connection's table.
    var number = 0
    /// The msg_id of its frames.
    private(set) var messageID = ByteBuffer()
    private(set) var key = InlineString()
    var kind = RPCMethodKind.unary

    var output = StreamOutput()
    /// All messages of the request are in `output`.
    var isRequestWhole = false
    /// The end of the request has been sent.
    var isRequestSent = false
    /// Bytes of DATA that are no credit for the server again.
    var unreturnedBytes = 0
    /// It is among those that wait for the credit of the connection.
    var isBlocked = false
    /// The stream has ended; messages of it wait for the credit of the RPC side.
    var isClosed = false
    /// The session waits until there is more to send.
    var isWaiting = false

    /// The response has begun: its first HEADERS have come.
    var hasResponse = false
    /// The server sends nothing more.
    var isResponseEnded = false
    /// The metadata of them, as lines, where it is sent with the reply.
    var lines = ByteBuffer()
    /// A call with one response: it.
    var message = ByteBuffer()
    var collector: MessageCollector?
    var input: StreamInput?
    /// The reply of a stream of responses, which waits until all messages have been passed on.
    var reply: Reply?
    /// Where the RPC side allows messages from the beginning.
    var window: UInt64 = 0

    /// The RPC side has its reply, or has cancelled the call.
    var isAnswered = false
    var countedBytes = 0
    var countedRequestBytes = 0

    /// How a call ended.
    struct Reply {
        var status: Int
        var code: RPCErrorCode
        var text: String
        /// grpc-status-details-bin.
        var details: String?
        var load: LoadLine?
        /// The trailing metadata, as lines.
        var lines: [UInt8]
    }

    func begin(_ messageID: RawSpan, number: Int, _ kind: RPCMethodKind) {
        self.number = number
        self.kind = kind
        self.messageID.removeAll()
        self.messageID.append(messageID)
        key = InlineString(bytes: messageID)
    }

    /// Forgets the call.
    func end() {
        id = nil
        output.end()
        unreturnedBytes = 0
        isBlocked = false
        isClosed = false
        isRequestWhole = false
        isRequestSent = false
        isWaiting = false
        hasResponse = false
        isResponseEnded = false
        lines.removeAll()
        message.removeAll()
        message.shrink(keepBytes: 4 << 10)
        collector = nil
        input = nil
        reply = nil
        window = 0
        isAnswered = false
        countedBytes = 0
        countedRequestBytes = 0
    }

    /// Drops what has come of the response: nobody will see it.
    func dropResponse() {
        lines.removeAll()
        message.removeAll()
        message.shrink(keepBytes: 4 << 10)
        collector = nil
        input = nil
    }

    /// Bytes that it holds.
    var heldBytes: Int {
        message.readableBytes + (collector?.heldBytes ?? 0) + (input?.heldBytes ?? 0)
            + output.heldBytes
    }
}
