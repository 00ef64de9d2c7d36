import RocketBase
import RocketCodec
import RocketSystem

/// The frames of a stream beside the one that opens it and the one that ends it, which are those of
/// any call. See docs/wire-format.md, "Streams".
enum StreamFrame {
    case data
    case window
    case headers

    /// Data frames have at most this many bytes of a message.
    static let maxDataBytes = 64 << 10
    /// What each side of a connection may send at first on all streams together.
    static let initialConnectionLimit: UInt64 = 1 << 20
    /// The key of an opening frame whose value is the kind of the stream.
    static let kindKey = "stream"
    /// The key of an opening frame whose value is how much the server may send at first.
    static let windowKey = "window"

    static let dataName = [UInt8]("rocket.data".utf8)
    static let windowName = [UInt8]("rocket.window".utf8)
    static let headersName = [UInt8]("rocket.headers".utf8)
    /// In the err_info of a data frame: the message continues in the next one.
    static let more = [UInt8]("more".utf8)
    /// In the err_info of a data frame without a message: the client sends no more.
    static let end = [UInt8]("end".utf8)
    private static let prefix = [UInt8]("rocket.".utf8)

    /// nil: another frame.
    init?(_ name: RawSpan) {
        // SAFETY: the arrays are never changed.
        guard name.byteCount >= 11,
            sameBytes(name.extracting(first: 7), unsafe Self.prefix.span.bytes)
        else { return nil }
        if sameBytes(name, unsafe Self.dataName.span.bytes) {
            self = .data
        } else if sameBytes(name, unsafe Self.windowName.span.bytes) {
            self = .window
        } else if sameBytes(name, unsafe Self.headersName.span.bytes) {
            self = .headers
        } else {
            return nil
        }
    }

    /// Whether the err_info of a data frame is `info`.
    static func matches(_ info: RawSpan, _ flag: [UInt8]) -> Bool {
        // SAFETY: the array lives, unchanged, until sameBytes returns.
        sameBytes(info, unsafe flag.span.bytes)
    }

    /// Whether no method can have that name.
    static func isReserved(_ fullName: String) -> Bool {
        ["rocket.data", "rocket.window", "rocket.headers"].contains(fullName)
    }

    /// What a part of a message counts against the credit.
    static func cost(ofBytes count: Int) -> Int { max(1, count) }
}

extension RPCMethodKind {
    /// The value of `stream` in an opening frame; nil for a call without streams.
    var wireName: String? {
        switch self {
        case .unary: nil
        case .clientStreaming: "c"
        case .serverStreaming: "s"
        case .bidirectionalStreaming: "b"
        }
    }
}

extension TinyPBCodec {
    /// Appends the start of a frame of a stream.
    ///
    /// - Returns: the offset of the frame, for `finish`.
    func begin(
        _ messageID: [UInt8], _ name: [UInt8], flag: [UInt8] = [], in output: inout ByteBuffer
    ) -> Int {
        // SAFETY: the arrays live, unchanged, until begin returns.
        begin(
            messageID: unsafe messageID.span.bytes, methodName: unsafe name.span.bytes,
            errorInfo: unsafe flag.span.bytes, in: &output)
    }

    /// Appends a window frame; an empty msg_id is that of the connection.
    func appendWindow(_ messageID: [UInt8], limit: UInt64, to output: inout ByteBuffer) {
        let start = begin(messageID, StreamFrame.windowName, in: &output)
        output.append(bigEndian: limit)
        // A frame of less than 128 bytes is within each limit but of tests.
        try? finish(start, in: &output)
    }
}
