import RocketBase
import RocketCodec

/// The frames of TinyPB beside requests and replies. See docs/wire-format.md.
enum FrameName {
    case data
    case window
    case headers
    case cancel
    case goAway

    fileprivate static let dataBytes = [UInt8]("rocket.data".utf8)
    fileprivate static let windowBytes = [UInt8]("rocket.window".utf8)
    fileprivate static let cancelBytes = [UInt8]("rocket.cancel".utf8)
    fileprivate static let goAwayBytes = [UInt8]("rocket.goaway".utf8)
    fileprivate static let headersBytes = [UInt8]("rocket.headers".utf8)
    fileprivate static let moreBytes = [UInt8]("more".utf8)
    fileprivate static let endBytes = [UInt8]("end".utf8)

    /// nil: another frame, so a request or a reply.
    init?(_ name: RawSpan) {
        guard name.byteCount >= 11, name.byteCount <= 14, name.hasPrefix("rocket.") else {
            return nil
        }
        if name.equals("rocket.data") {
            self = .data
        } else if name.equals("rocket.window") {
            self = .window
        } else if name.equals("rocket.headers") {
            self = .headers
        } else if name.equals("rocket.cancel") {
            self = .cancel
        } else if name.equals("rocket.goaway") {
            self = .goAway
        } else {
            return nil
        }
    }
}

/// Appends the frames that this side passes to the RPC side. A value.
struct FrameWriter: Sendable {
    /// Data frames have at most so many bytes of a message.
    static let maxDataBytes = 64 << 10

    let codec: TinyPBCodec

    /// Appends a part of a message.
    func appendData(
        _ messageID: RawSpan, _ part: RawSpan, isLast: Bool, to output: inout ByteBuffer
    ) {
        // SAFETY: the array is never changed.
        let info = unsafe isLast ? RawSpan() : FrameName.moreBytes.span.bytes
        append(messageID, FrameName.dataBytes, info: info, payload: part, to: &output)
    }

    /// Appends the end of the client's messages.
    func appendEnd(_ messageID: RawSpan, to output: inout ByteBuffer) {
        // SAFETY: the array is never changed.
        let info = unsafe FrameName.endBytes.span.bytes
        append(messageID, FrameName.dataBytes, info: info, to: &output)
    }

    /// Appends an absolute limit; an empty id is that of the connection.
    func appendWindow(_ messageID: RawSpan, limit: UInt64, to output: inout ByteBuffer) {
        // SAFETY: the array is never changed.
        let start = unsafe codec.begin(
            messageID: messageID, methodName: FrameName.windowBytes.span.bytes, in: &output)
        output.append(bigEndian: limit)
        // A frame of less than 128 bytes is within every limit that is configured.
        try? codec.finish(start, in: &output)
    }

    /// Appends the metadata that precedes the messages of a reply.
    func appendHeaders(_ messageID: RawSpan, block: RawSpan, to output: inout ByteBuffer) {
        append(messageID, FrameName.headersBytes, info: block, to: &output)
    }

    func appendCancel(_ messageID: RawSpan, to output: inout ByteBuffer) {
        append(messageID, FrameName.cancelBytes, to: &output)
    }

    func appendGoAway(to output: inout ByteBuffer) {
        append(RawSpan(), FrameName.goAwayBytes, to: &output)
    }

    /// Appends an error in reply to a call.
    ///
    /// - Parameter payload: appends the pb_data: the details of the error.
    func appendError(
        _ messageID: RawSpan, _ failure: WireFailure, to output: inout ByteBuffer,
        _ payload: (inout ByteBuffer) -> Void = { _ in }
    ) {
        let text = [UInt8](failure.text.utf8)
        // SAFETY: the array lives, unchanged, until begin returns.
        let start = unsafe codec.begin(
            messageID: messageID, methodName: RawSpan(), errorCode: failure.code.rawValue,
            errorInfo: text.span.bytes, in: &output)
        payload(&output)
        // At most 512 bytes of text and 8 KiB of details.
        try? codec.finish(start, in: &output)
    }

    private func append(
        _ messageID: RawSpan, _ name: [UInt8], info: RawSpan = RawSpan(),
        payload: RawSpan = RawSpan(), to output: inout ByteBuffer
    ) {
        // SAFETY: the array lives, unchanged, until begin returns.
        let start = unsafe codec.begin(
            messageID: messageID, methodName: name.span.bytes, errorInfo: info, in: &output)
        output.append(payload)
        // A frame of a stream has at most 64 KiB and 8 KiB of metadata, below each limit that is
        // configured for streams.
        try? codec.finish(start, in: &output)
    }
}
