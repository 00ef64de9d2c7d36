import CRocketHTTP2

// MARK: - Submissions

extension HTTP2Session {
    /// Submits a request of a client; without `endsStream` its body follows by `nextData`. Above the
    /// peer's limit on streams it waits inside of the session.
    ///
    /// - Parameter userData: as of `setUserData`.
    /// - Throws: `goingAway`, `tooManyRequests`, or why the session has failed.
    public func request(
        _ headers: HTTP2Headers, endsStream: Bool, userData: Int = 0
    ) throws(HTTP2Error) -> HTTP2StreamID {
        precondition(role == .client, "HTTP2Session: a server sends no requests")
        if let failure { throw failure }
        // Those that are sent at once never wait.
        if queuedRequests >= max(configuration.queuedRequests, 1),
            openStreams + queuedRequests >= peerConcurrentStreams
        {
            throw .tooManyRequests
        }
        // SAFETY: nghttp2 copies the list, which has the format of rocket_http2.h.
        let stream = unsafe headers.bytes.withUnsafeBufferPointer { list in
            unsafe rocket_http2_request(
                session, list.baseAddress, list.count, headers.count, endsStream ? 1 : 0, userData)
        }
        if stream == -1 { throw fail(.outOfMemory) }
        if stream < 0 { throw .goingAway }
        queuedRequests += 1
        return HTTP2StreamID(rawValue: stream)
    }

    /// Submits the headers of a server's response; without `endsStream` its body follows by `nextData`,
    /// so that a response without a body can still end with trailers. Does nothing if the stream has
    /// ended.
    public func headers(_ headers: HTTP2Headers, on stream: HTTP2StreamID, endsStream: Bool) {
        precondition(role == .server, "HTTP2Session: a client sends no responses")
        if !isOpen(stream) { return }
        // SAFETY: as in request.
        let code = unsafe headers.bytes.withUnsafeBufferPointer { list in
            unsafe rocket_http2_response(
                session, stream.rawValue, list.baseAddress, list.count, headers.count,
                endsStream ? 1 : 0)
        }
        if code != 0 { fail(.outOfMemory) }
    }

    /// Ends a response with trailers, at once: flow control does not hold them back, unlike those that
    /// `nextData` returns behind a body. Only once all of the body has been written; `nextData` is not
    /// called again. Does nothing if the stream has ended.
    public func trailers(_ headers: HTTP2Headers, on stream: HTTP2StreamID) {
        precondition(role == .server, "HTTP2Session: a client sends no trailers")
        if isOpen(stream) { submitTrailers(headers, on: stream.rawValue) }
    }

    func submitTrailers(_ headers: HTTP2Headers, on stream: Int32) {
        // SAFETY: as in request.
        let code = unsafe headers.bytes.withUnsafeBufferPointer { list in
            unsafe rocket_http2_trailers(
                session, stream, list.baseAddress, list.count, headers.count)
        }
        if code != 0 { fail(.outOfMemory) }
    }

    /// Lets `nextData` be called again, after it has returned `wait`.
    public func resumeData(on stream: HTTP2StreamID) {
        unsafe rocket_http2_resume(session, stream.rawValue)
    }

    /// Ends a stream at once: what waits of it is dropped. `streamClosed` is called when RST_STREAM is
    /// sent. Bytes of a DATA frame that is being received may still be reported. Does nothing if the
    /// stream has ended.
    public func reset(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        if isUnsent(stream.rawValue) {
            if !cancelledRequests.insert(stream.rawValue).inserted { return }
        } else if !isOpen(stream) {
            return
        }
        if unsafe rocket_http2_reset(session, stream.rawValue, code.rawValue) != 0 {
            fail(.outOfMemory)
        }
    }

    /// Lets the peer send as many bytes more, on the stream and on the connection: WINDOW_UPDATE follows
    /// when half of a window has been returned. Each byte of `data` is returned once, also after the
    /// stream has ended; until then the connection's window is smaller.
    public func consumed(_ bytes: Int, on stream: HTTP2StreamID) {
        precondition(bytes >= 0, "HTTP2Session: consumed a negative number of bytes")
        if bytes == 0 { return }
        if unsafe rocket_http2_consumed(session, stream.rawValue, bytes) != 0 { fail(.outOfMemory) }
    }

    /// Sends PING; `pingAcknowledged` gets the payload back.
    public func ping(_ payload: UInt64) {
        // SAFETY: the 8 bytes do not escape from the closure.
        let code = unsafe withUnsafeBytes(of: payload.bigEndian) { bytes in
            unsafe rocket_http2_ping(
                session, bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
        }
        if code != 0 { fail(.outOfMemory) }
    }

    /// Announces that the connection ends. With `noError`, it is over when the last stream has ended;
    /// with another code, as soon as the frame has been sent.
    ///
    /// - Parameters:
    ///   - last: the last stream of the peer that is processed (`lastPeerStream`); nil: all that it has
    ///     sent before it knows of this, the first notice of a server that drains (RFC 9113, 6.8). A
    ///     client's is always 0.
    ///   - text: for the peer's log, cut to 1,024 bytes; the first notice has none.
    public func goAway(last: HTTP2StreamID?, _ code: HTTP2ErrorCode, _ text: String = "") {
        if failure != nil { return }
        if code != .noError { isLeaving = true }
        submitGoAway(last: last?.rawValue ?? -1, code, text)
    }

    func submitGoAway(last: Int32, _ code: HTTP2ErrorCode, _ text: String) {
        // The last stream never grows (RFC 9113, 6.8), also while a frame before this one waits, which
        // nghttp2 does not see.
        if last < 0 && announcedLast < .max && code == .noError { return }
        let all: Int32 = announcedLast == .max ? -1 : announcedLast
        let last = last < 0 ? all : min(last, announcedLast)
        if last >= 0 { announcedLast = last }
        var text = text
        let result = text.withUTF8 { bytes in
            unsafe rocket_http2_goaway(
                session, last, code.rawValue, bytes.baseAddress, min(bytes.count, 1_024))
        }
        if result == 0 { return }
        // Without memory the connection ends without a word.
        failure = failure ?? .outOfMemory
        unsafe sending.isFinal = true
    }
}

// MARK: - Streams

extension HTTP2Session {
    /// Keeps a number for a stream, such as an index into the caller's own table, until
    /// `streamClosed` has been called; then it is lost. 62 bits of it are kept.
    public func setUserData(_ userData: Int, of stream: HTTP2StreamID) {
        unsafe rocket_http2_set_user_data(session, stream.rawValue, userData)
    }

    /// The number that is kept for an open stream; 0: none.
    public func userData(of stream: HTTP2StreamID) -> Int {
        unsafe rocket_http2_user_data(session, stream.rawValue)
    }

    /// Whether a stream is open in at least one direction.
    public func isOpen(_ stream: HTTP2StreamID) -> Bool {
        unsafe rocket_http2_is_open(session, stream.rawValue) != 0
    }

    /// Whether a request waits for the peer's limit on streams, or has only been submitted.
    public func isQueued(_ stream: HTTP2StreamID) -> Bool { isUnsent(stream.rawValue) }

    /// How many requests were reset while they waited. They still wait, and are dropped when their turn
    /// comes: nghttp2 can't do it before.
    public var resetQueuedRequests: Int { cancelledRequests.count }

    func isUnsent(_ stream: Int32) -> Bool { role == .client && stream > lastRequest }

    /// The last stream of the peer that has been reported.
    public var lastPeerStream: HTTP2StreamID {
        HTTP2StreamID(rawValue: unsafe rocket_http2_last_peer_stream(session))
    }

    /// How many streams the peer lets this side open. Until its SETTINGS arrive: 100.
    public var peerConcurrentStreams: Int {
        unsafe Int(rocket_http2_peer_concurrent_streams(session))
    }

    /// How many bytes of DATA flow control lets this side send on a stream now; -1: it is not open.
    public func sendWindow(of stream: HTTP2StreamID) -> Int {
        unsafe Int(
            min(
                rocket_http2_send_window(session, 0),
                rocket_http2_send_window(session, stream.rawValue)))
    }
}
