import RocketBase

/// What a session reports, during `receive` and `send` only, on the thread that calls them. It may
/// submit anything to the session meanwhile, but call neither of the two.
///
/// Header fields of one list are reported without events of other streams in between.
public protocol HTTP2SessionHandler: AnyObject {
    /// A list of headers begins: a request, a response, or trailers.
    func headersBegan(_ stream: HTTP2StreamID)
    /// A field, in the order of the peer. The bytes are valid during the call. nghttp2 has checked the
    /// field by RFC 9113, 8.2 and 8.3.
    func header(_ stream: HTTP2StreamID, name: RawSpan, value: RawSpan)
    /// The list ends, and with `endsStream` what the peer sends; `inputEnded` follows then.
    func headersEnded(_ stream: HTTP2StreamID, endsStream: Bool)
    /// The list ends, as `headersEnded`, but is larger than `headerListBytes`: only its first fields
    /// have been reported. By default the stream is reset with ENHANCE_YOUR_CALM.
    func headersTooLarge(
        _ stream: HTTP2StreamID, endsStream: Bool, on session: HTTP2Session)
    /// A part of the body, at least 1 byte, valid during the call. The number of bytes is returned by
    /// `consumed` once, sooner or later, also if the stream has ended since.
    func data(_ stream: HTTP2StreamID, _ bytes: RawSpan)
    /// The peer sends nothing more on this stream.
    func inputEnded(_ stream: HTTP2StreamID)
    /// Writes the next part of the body that this side sends.
    func nextData(
        _ stream: HTTP2StreamID, into output: inout HTTP2DataWriter
    ) -> HTTP2NextData
    /// The stream has ended; its user data can be read for the last time. `refusedStream` means that
    /// the request was not processed, or not even sent.
    func streamClosed(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode)
    /// The peer takes no streams after `last`; those that are open are then closed with `refusedStream`.
    /// Text of the peer: at most 1,024 bytes of it.
    func goAwayReceived(last: HTTP2StreamID, _ code: HTTP2ErrorCode, text: String)
    /// PING has been received; its answer waits already.
    func pingReceived()
    /// The answer to `HTTP2Session.ping`, or one that nobody asked for.
    func pingAcknowledged(_ payload: UInt64)
    /// The peer's SETTINGS are valid from now on.
    func settingsReceived()
}

extension HTTP2SessionHandler {
    /// Resets the stream with ENHANCE_YOUR_CALM.
    public func headersTooLarge(
        _ stream: HTTP2StreamID, endsStream: Bool, on session: HTTP2Session
    ) {
        session.reset(stream, .enhanceYourCalm)
    }
}

/// What `HTTP2SessionHandler.nextData` did.
public enum HTTP2NextData: Sendable {
    /// Bytes have been written, at least 1; it is called again for more.
    case wrote
    /// Nothing has been written: it is called again after `HTTP2Session.resumeData`.
    case wait
    /// The body ends with what was written, if anything, and with it the stream of this side.
    case end
    /// The body ends, and these headers follow, which end the stream of this side.
    case endWithTrailers(HTTP2Headers)
}

/// Room for a part of a body, in the output of `HTTP2Session.send`. Valid during the call that gets it.
@safe
public struct HTTP2DataWriter: ~Copyable {
    private let output: UnsafeMutablePointer<ByteBuffer>
    /// How many bytes may be written: no more than a frame, and as flow control allows.
    public private(set) var room: Int
    /// How many bytes have been written.
    public private(set) var written = 0

    init(into output: UnsafeMutablePointer<ByteBuffer>, room: Int) {
        unsafe self.output = output
        self.room = room
    }

    /// Writes all of `bytes`; traps if they are more than `room`.
    public mutating func append(_ bytes: RawSpan) {
        take(bytes.byteCount)
        // SAFETY: the session keeps the buffer for as long as this value lives.
        unsafe output.pointee.append(bytes)
    }

    /// Writes as many of `bytes` as there is room for, and returns their number.
    public mutating func appendPrefix(of bytes: RawSpan) -> Int {
        let count = min(room, bytes.byteCount)
        append(bytes.extracting(first: count))
        return count
    }

    /// Writes an integer, the highest byte first; traps if there is not enough room.
    public mutating func append<Integer: FixedWidthInteger & BitwiseCopyable>(
        bigEndian value: Integer
    ) {
        take(MemoryLayout<Integer>.size)
        // SAFETY: as in append.
        unsafe output.pointee.append(bigEndian: value)
    }

    private mutating func take(_ count: Int) {
        precondition(count <= room, "HTTP2DataWriter: wrote past its room")
        room -= count
        written += count
    }
}
