import CRocketHTTP2

/// What nghttp2 calls, by the shim: functions without state, which find the session by their context.
///
/// SAFETY: the context is the `SessionReference` that the session has passed; bytes are valid during the
/// call, and spans of them do not escape from it.
let sessionCallbacks = unsafe rocket_http2_callbacks(
    headers_began: { context, stream, opensStream in
        unsafe session(context)?.headersBegan(stream, opensStream: opensStream != 0)
    },
    header: { context, stream, name, nameCount, value, valueCount in
        let name = unsafe RawSpan(
            _unsafeBytes: UnsafeRawBufferPointer(start: name, count: nameCount))
        let value = unsafe RawSpan(
            _unsafeBytes: UnsafeRawBufferPointer(start: value, count: valueCount))
        return unsafe session(context)?.header(stream, name, value)
            ?? Int32(ROCKET_HTTP2_FIELD_REFUSED)
    },
    headers_ended: { context, stream, endsStream in
        unsafe session(context)?.headersEnded(stream, endsStream: endsStream != 0)
    },
    data: { context, stream, bytes, count in
        guard let bytes = unsafe bytes else { return }
        unsafe session(context)?.data(stream, RawSpan(_unsafeStart: bytes, byteCount: count))
    },
    data_ended: { context, stream in
        unsafe session(context)?.active?.inputEnded(HTTP2StreamID(rawValue: stream))
    },
    reset_received: { context, stream in unsafe session(context)?.lastReset = stream },
    stream_closed: { context, stream, code in
        unsafe session(context)?.streamClosed(stream, code)
    },
    goaway_received: { context, last, code, text, count in
        unsafe session(context)?.goAwayReceived(
            last, code,
            RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: text, count: count)))
    },
    ping_received: { context, isAnswer, payload in
        guard let active = unsafe session(context)?.active, let payload = unsafe payload else {
            return
        }
        if isAnswer == 0 {
            active.pingReceived()
        } else {
            let number = unsafe UnsafeRawPointer(payload).loadUnaligned(as: UInt64.self)
            active.pingAcknowledged(UInt64(bigEndian: number))
        }
    },
    settings_received: { context, isAnswer in
        if isAnswer == 0 { unsafe session(context)?.active?.settingsReceived() }
    },
    next_data: { context, stream, most, end in
        guard let session = unsafe session(context) else { return -1 }
        let next = session.nextData(stream, most)
        unsafe end?.pointee = next.end
        return next.count
    },
    data_framed: { context, _, header in
        guard let session = unsafe session(context), let header = unsafe header else { return 1 }
        return unsafe session.dataFramed(header) ? 1 : 0
    },
    frame_sent: { context, type, stream, code, text, count in
        guard let session = unsafe session(context) else { return }
        switch UInt8(truncatingIfNeeded: type) {
        case FloodGuard.FrameType.headers: session.headersSent(stream)
        case FloodGuard.FrameType.resetStream:
            let isOwn = unsafe rocket_http2_is_own_reset(session.session, stream) != 0
            session.resetSent(stream, HTTP2ErrorCode(rawValue: code), isOwn: isOwn)
        default:
            let text = unsafe RawSpan(
                _unsafeBytes: UnsafeRawBufferPointer(start: text, count: count))
            session.goAwaySent(HTTP2ErrorCode(rawValue: code), text)
        }
    })

private func session(_ context: UnsafeMutableRawPointer?) -> HTTP2Session? {
    unsafe context?.assumingMemoryBound(to: SessionReference.self).pointee.session
}
