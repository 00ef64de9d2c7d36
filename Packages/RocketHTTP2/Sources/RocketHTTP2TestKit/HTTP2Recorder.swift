public import RocketHTTP2

/// Records the events of a session as texts, and sends bodies that a test has given it.
public final class HTTP2Recorder: HTTP2SessionHandler {
    /// What is sent of a stream.
    public struct Body {
        /// The bytes that are left.
        public var bytes: [UInt8]
        /// What follows them; nil: `wait`.
        public var end: HTTP2NextData?

        /// Makes a body that waits for more unless `end` says otherwise.
        public init(_ bytes: [UInt8] = [], end: HTTP2NextData? = .end) {
            self.bytes = bytes
            self.end = end
        }
    }

    /// The events, one line each; data of a stream in sequence is one line.
    public private(set) var events: [String] = []
    /// What has been received of each stream.
    public private(set) var received: [HTTP2StreamID: [UInt8]] = [:]
    /// How each stream has ended.
    public private(set) var closed: [HTTP2StreamID: HTTP2ErrorCode] = [:]
    /// Bodies of streams.
    public var bodies: [HTTP2StreamID: Body] = [:]
    /// Called at the end of what a peer has sent on a stream.
    public var onInputEnded: ((HTTP2StreamID) -> Void)?
    /// Called for each list of headers.
    public var onHeaders: ((HTTP2StreamID) -> Void)?
    /// Called for data, with its number of bytes.
    public var onData: ((HTTP2StreamID, Int) -> Void)?

    /// Makes a recorder without events.
    public init() {}

    /// Forgets the events.
    public func removeEvents() { events = [] }

    /// Records the event.
    public func headersBegan(_ stream: HTTP2StreamID) { events.append("headers of \(stream)") }

    /// Records the field.
    public func header(_ stream: HTTP2StreamID, name: RawSpan, value: RawSpan) {
        events.append("\(text(name)): \(text(value))")
    }

    /// Records the event and calls `onHeaders`.
    public func headersEnded(_ stream: HTTP2StreamID, endsStream: Bool) {
        events.append("end of headers of \(stream)")
        onHeaders?(stream)
    }

    /// Records the event and resets the stream.
    public func headersTooLarge(
        _ stream: HTTP2StreamID, endsStream: Bool, on session: HTTP2Session
    ) {
        events.append("headers too large of \(stream)")
        session.reset(stream, .enhanceYourCalm)
    }

    /// Records the bytes and calls `onData`.
    public func data(_ stream: HTTP2StreamID, _ bytes: RawSpan) {
        if events.last != "data of \(stream)" { events.append("data of \(stream)") }
        received[stream, default: []] += copy(bytes)
        onData?(stream, bytes.byteCount)
    }

    /// Records the event and calls `onInputEnded`.
    public func inputEnded(_ stream: HTTP2StreamID) {
        events.append("end of \(stream)")
        onInputEnded?(stream)
    }

    /// Writes what is left of the body of the stream; without one it waits.
    public func nextData(
        _ stream: HTTP2StreamID, into output: inout HTTP2DataWriter
    ) -> HTTP2NextData {
        guard var body = bodies[stream] else { return .wait }
        let count = min(output.room, body.bytes.count)
        for byte in body.bytes.prefix(count) { output.append(bigEndian: byte) }
        body.bytes.removeFirst(count)
        bodies[stream] = body
        if body.bytes.isEmpty, let end = body.end { return end }
        return count > 0 ? .wrote : .wait
    }

    /// Records how the stream has ended.
    public func streamClosed(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        events.append("closed \(stream): \(code)")
        closed[stream] = code
    }

    /// Records the event.
    public func goAwayReceived(last: HTTP2StreamID, _ code: HTTP2ErrorCode, text: String) {
        events.append("going away after \(last): \(code)\(text.isEmpty ? "" : ", \(text)")")
    }

    /// Records the event.
    public func pingReceived() { events.append("ping") }
    /// Records the payload.
    public func pingAcknowledged(_ payload: UInt64) { events.append("ping \(payload)") }
    /// Records the event.
    public func settingsReceived() { events.append("settings") }

    private func copy(_ bytes: RawSpan) -> [UInt8] {
        (0..<bytes.byteCount).map { bytes.byte(at: $0) }
    }
    private func text(_ bytes: RawSpan) -> String { String(decoding: copy(bytes), as: UTF8.self) }
}
