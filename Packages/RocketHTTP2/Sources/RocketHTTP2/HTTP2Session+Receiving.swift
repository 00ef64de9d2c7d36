import CRocketHTTP2
import RocketSystem

extension HTTP2Session {
    /// Takes bytes of the peer, all of them, and calls the handler for what they contain. Bytes may be
    /// torn anywhere. An error that nghttp2 finds in them is thrown by `send`, after its GOAWAY.
    ///
    /// - Throws: an error of this session, or the one that it has failed with before: send what waits
    ///   (GOAWAY), then close the connection.
    public func receive(_ bytes: RawSpan) throws(HTTP2Error) {
        if let failure { throw failure }
        precondition(active == nil, "HTTP2Session: receive during receive or send")
        active = handler
        defer { active = nil }
        var offset = 0
        while let frame = scanner.next(bytes, from: &offset) {
            if let found = flood.received(frame, now: now, &counters) {
                // What came before that frame is valid.
                feed(bytes.extracting(first: max(0, offset - FrameScanner.headerBytes)))
                throw fail(failure ?? .flood(found))
            }
        }
        feed(bytes)
        if failure == nil, unsafe rocket_http2_queued(session) > mostQueued {
            fail(.flood(.unreadAnswers))
        }
        if let failure { throw failure }
    }

    /// Frames that may wait: those that streams and requests cause, and answers.
    private var mostQueued: Int {
        4 * (openStreams + 1) + queuedRequests + 2 * configuration.unsentAnswers
    }

    private func feed(_ bytes: RawSpan) {
        if bytes.isEmpty { return }
        // SAFETY: the pointer does not escape from the closure; nghttp2 copies what it keeps.
        let code = unsafe bytes.withUnsafeBytes { bytes in
            unsafe rocket_http2_receive(
                session, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count)
        }
        if code == 0 || failure != nil { return }
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
        if case .flood = error { counters.floods += 1 } else { counters.connectionErrors += 1 }
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
            openStreams += 1
            counters.streams += 1
        }
        headerList = (0, false)
        active?.headersBegan(HTTP2StreamID(rawValue: stream))
    }

    /// Returns false to end the session.
    func header(_ stream: Int32, _ name: RawSpan, _ value: RawSpan) -> Bool {
        headerList.bytes += name.byteCount + value.byteCount + 32
        if headerList.bytes <= configuration.headerListBytes {
            active?.header(HTTP2StreamID(rawValue: stream), name: name, value: value)
            return true
        }
        if !headerList.isTooLarge {
            headerList.isTooLarge = true
            counters.headersTooLarge += 1
        }
        if headerList.bytes / 4 <= configuration.headerListBytes { return true }
        fail(.flood(.headers))
        return false
    }

    func headersEnded(_ stream: Int32, endsStream: Bool) {
        let id = HTTP2StreamID(rawValue: stream)
        if headerList.isTooLarge {
            active?.headersTooLarge(id, endsStream: endsStream, on: self)
        } else {
            active?.headersEnded(id, endsStream: endsStream)
        }
        if endsStream { active?.inputEnded(id) }
    }

    func data(_ stream: Int32, _ bytes: RawSpan) {
        counters.receivedDataBytes += bytes.byteCount
        active?.data(HTTP2StreamID(rawValue: stream), bytes)
    }

    func streamClosed(_ stream: Int32, _ code: UInt32) {
        if stream != lastReset { flood.streamEnded() }
        if isUnsent(stream) {
            // Requests are sent, or end, in the order of their numbers.
            lastRequest = stream
            queuedRequests -= 1
            cancelledRequests.remove(stream)
        } else {
            openStreams -= 1
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
