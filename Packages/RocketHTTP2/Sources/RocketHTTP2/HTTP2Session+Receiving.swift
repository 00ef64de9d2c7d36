import CRocketHTTP2
import RocketSystem

extension HTTP2Session {
    /// Takes bytes of the peer, and calls the handler for what they contain. Bytes may be torn anywhere.
    /// An error that nghttp2 finds in them is thrown by `send`, after its GOAWAY.
    ///
    /// - Returns: how many bytes were taken: all, unless they have more than `headerBytesPerReceive` of
    ///   headers. The next call must begin with the rest; new bytes may follow it.
    /// - Throws: an error of this session, or the one that it has failed with before: send what waits
    ///   (GOAWAY), then close the connection.
    public func receive(_ bytes: RawSpan) throws(HTTP2Error) -> Int {
        if let failure { throw failure }
        precondition(active == nil, "HTTP2Session: receive during receive or send")
        precondition(scannedBytes <= bytes.byteCount, "HTTP2Session: receive without the rest")
        active = handler
        defer { active = nil }
        unsafe decoded = (0, false)
        var offset = scannedBytes
        while let frame = unsafe scanner.next(bytes, from: &offset) {
            if let found = unsafe flood.received(frame, now: now, &counted) {
                // What came before that frame is valid.
                _ = feed(bytes.extracting(first: max(0, offset - FrameScanner.headerBytes)))
                throw fail(failure ?? .flood(found))
            }
        }
        let taken = feed(bytes)
        scannedBytes = bytes.byteCount - taken
        if failure == nil, unsafe rocket_http2_queued(session) > mostQueued {
            fail(.flood(.unreadAnswers))
        }
        if let failure { throw failure }
        return taken
    }

    /// Frames that may wait: those that streams and requests cause, and answers.
    private var mostQueued: Int {
        4 * (openStreams + 1) + queuedRequests + 2 * configuration.unsentAnswers
    }

    /// Returns how many bytes nghttp2 has taken.
    private func feed(_ bytes: RawSpan) -> Int {
        if bytes.isEmpty { return 0 }
        var taken = pass(bytes)
        if unsafe taken == bytes.byteCount && decoded.isEnough {
            // The last field of the bytes was one too many: its list may be complete.
            unsafe decoded = (0, false)
            taken += pass(RawSpan())
        }
        return taken
    }

    private func pass(_ bytes: RawSpan) -> Int {
        // SAFETY: the pointer does not escape from the closure; nghttp2 copies what it keeps.
        let code = unsafe bytes.withUnsafeBytes { bytes in
            unsafe rocket_http2_receive(
                session, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count)
        }
        if code >= 0 { return code }
        if failure == nil { failed(Int32(code)) }
        return bytes.byteCount
    }

    private func failed(_ code: Int32) {
        switch code {
        case Int32(ROCKET_HTTP2_NO_MEMORY): fail(.outOfMemory)
        case Int32(ROCKET_HTTP2_FLOODED): fail(.flood(.unreadAnswers))
        case Int32(ROCKET_HTTP2_BAD_PREFACE):
            fail(.connection(.protocolError, "no preface of HTTP/2"))
        default: fail(.connection(.internalError, "nghttp2: \(code)"))
        }
    }

    /// Notes the first error, and submits its GOAWAY.
    @discardableResult
    func fail(_ error: HTTP2Error) -> HTTP2Error {
        if let failure { return failure }
        failure = error
        note(error)
        let last = unsafe role == .server ? rocket_http2_last_peer_stream(session) : 0
        submitGoAway(last: last, error.code, error.text)
        return error
    }

    func note(_ error: HTTP2Error) {
        if case .flood = error {
            unsafe counted.floods += 1
        } else {
            unsafe counted.connectionErrors += 1
        }
    }
}

extension HTTP2Error {
    /// The text of GOAWAY.
    fileprivate var text: String {
        switch self {
        case .connection(_, let text): text
        case .flood(let flood): "too many \(flood.rawValue)"
        default: ""
        }
    }
}

// MARK: - Events of nghttp2

extension HTTP2Session {
    func headersBegan(_ stream: Int32, opensStream: Bool) {
        if opensStream {
            unsafe opened += 1
            unsafe counted.streams += 1
        }
        unsafe headerList = (0, false)
        active?.headersBegan(HTTP2StreamID(rawValue: stream))
    }

    /// Returns a `ROCKET_HTTP2_FIELD_…`.
    func header(_ stream: Int32, _ name: RawSpan, _ value: RawSpan) -> Int32 {
        let bytes = name.byteCount + value.byteCount + 32
        unsafe decoded.bytes += bytes
        unsafe decoded.isEnough = decoded.bytes > configuration.headerBytesPerReceive
        let next = Int32(
            unsafe decoded.isEnough ? ROCKET_HTTP2_FIELD_LAST : ROCKET_HTTP2_FIELD_TAKEN)
        unsafe headerList.bytes += bytes
        if unsafe headerList.bytes <= configuration.headerListBytes {
            active?.header(HTTP2StreamID(rawValue: stream), name: name, value: value)
            return next
        }
        if unsafe !headerList.isTooLarge {
            unsafe headerList.isTooLarge = true
            unsafe counted.headersTooLarge += 1
        }
        if unsafe headerList.bytes / 4 <= configuration.headerListBytes { return next }
        fail(.flood(.headers))
        return Int32(ROCKET_HTTP2_FIELD_REFUSED)
    }

    func headersEnded(_ stream: Int32, endsStream: Bool) {
        let id = HTTP2StreamID(rawValue: stream)
        if unsafe headerList.isTooLarge {
            active?.headersTooLarge(id, endsStream: endsStream, on: self)
        } else {
            active?.headersEnded(id, endsStream: endsStream)
        }
        if endsStream { active?.inputEnded(id) }
    }

    func data(_ stream: Int32, _ bytes: RawSpan) {
        unsafe counted.receivedDataBytes += bytes.byteCount
        active?.data(HTTP2StreamID(rawValue: stream), bytes)
    }

    func streamClosed(_ stream: Int32, _ code: UInt32) {
        if stream != lastReset { unsafe flood.streamEnded() }
        if isUnsent(stream) {
            // Requests are sent, or end, in the order of their numbers.
            lastRequest = stream
            queuedRequests -= 1
            cancelledRequests.remove(stream)
        } else {
            unsafe opened -= 1
        }
        active?.streamClosed(HTTP2StreamID(rawValue: stream), HTTP2ErrorCode(rawValue: code))
    }

    func goAwayReceived(_ last: Int32, _ code: UInt32, _ text: RawSpan) {
        let part = text.extracting(first: 1_024)
        // SAFETY: the pointer does not escape from the closure.
        let message = unsafe part.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        active?.goAwayReceived(
            last: HTTP2StreamID(rawValue: last), HTTP2ErrorCode(rawValue: code), text: message)
    }
}
