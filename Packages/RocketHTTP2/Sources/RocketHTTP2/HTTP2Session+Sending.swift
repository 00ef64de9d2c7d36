import CRocketHTTP2
public import RocketBase

/// What a session needs while it sends.
@safe
struct SendState {
    /// The output during `send`.
    var output: UnsafeMutablePointer<ByteBuffer>?
    /// The readable bytes of the output at which `send` returns.
    var target = 0
    /// Where the frame begins whose body is being written; nil: none is.
    var frame: Int?
    /// GOAWAY with an error has been sent: nothing follows.
    var isFinal = false
    /// The error that `send` has to throw.
    var error: HTTP2Error?
}

extension HTTP2Session {
    /// Appends frames to `output`, as far as flow control allows: those of the connection first, then
    /// bodies in turn, each by `nextData`. Nothing is left if `wantsSend` is false afterwards.
    ///
    /// - Parameters:
    ///   - output: must have no limit.
    ///   - bytes: returns once it has appended so many, at least 1; may exceed it by a frame.
    /// - Throws: what the peer did wrong, in bytes that were received before; once, after its GOAWAY has
    ///   been appended. Write the output, then close the connection.
    public func send(
        into output: inout ByteBuffer, atMost bytes: Int = .max
    ) throws(HTTP2Error) {
        precondition(active == nil, "HTTP2Session: send during receive or send")
        precondition(output.limitBytes == .max, "HTTP2Session: an output with a limit")
        if unsafe sending.isFinal { return }
        active = handler
        let start = output.readableBytes
        unsafe sending.target = bytes > .max - start ? .max : start + bytes
        // SAFETY: the pointer is forgotten before the closure ends.
        unsafe withUnsafeMutablePointer(to: &output) { pointer in
            unsafe sending.output = pointer
            unsafe sendFrames(into: pointer)
            unsafe sending.output = nil
        }
        active = nil
        if let error = unsafe sending.error {
            unsafe sending.error = nil
            throw error
        }
    }

    private func sendFrames(into output: UnsafeMutablePointer<ByteBuffer>) {
        while unsafe !sending.isFinal && output.pointee.readableBytes < sending.target {
            var bytes: UnsafePointer<UInt8>?
            let before = unsafe output.pointee.readableBytes
            let count = unsafe rocket_http2_send(session, &bytes)
            if let frame = unsafe sending.frame {
                // The body was not sent: its stream has ended meanwhile, or there was nothing in it.
                unsafe sending.frame = nil
                unsafe output.pointee.truncate(to: frame)
            }
            if count > 0 {
                unsafe output.pointee.append(UnsafeRawBufferPointer(start: bytes, count: count))
            } else if count < 0 {
                if failure == nil {
                    failure = .outOfMemory
                    unsafe sending.error = .outOfMemory
                    unsafe counted.connectionErrors += 1
                }
                unsafe sending.isFinal = true
            } else if unsafe output.pointee.readableBytes == before {
                return
            }
        }
    }

    // MARK: Events of nghttp2

    /// Returns -1 if there is nothing to be sent now, else the number of bytes, and whether the body
    /// ends (1), or trailers follow (2).
    func nextData(_ stream: Int32, _ room: Int) -> (count: Int, end: Int32) {
        guard let output = unsafe sending.output, let active else { return (-1, 0) }
        let start = unsafe output.pointee.readableBytes
        unsafe sending.frame = start
        // Room for the header, which follows when nghttp2 has made it.
        unsafe output.pointee.append(bigEndian: UInt64(0))
        unsafe output.pointee.append(byte: 0)
        var writer = unsafe HTTP2DataWriter(into: output, room: room)
        let next = active.nextData(HTTP2StreamID(rawValue: stream), into: &writer)
        let count = writer.written
        switch next {
        case .wrote where count > 0:
            return (count, 0)
        case .wrote, .wait:
            // A handler that says so after it has written would lose these bytes.
            precondition(count == 0, "HTTP2Session: nextData has written, and waits")
            unsafe sending.frame = nil
            unsafe output.pointee.truncate(to: start)
            return (-1, 0)
        case .end:
            return (count, 1)
        case .endWithTrailers(let trailers):
            submitTrailers(trailers, on: stream)
            return (count, 2)
        }
    }

    /// Returns whether `send` has to return now.
    func dataFramed(_ header: UnsafePointer<UInt8>) -> Bool {
        guard let output = unsafe sending.output, let frame = unsafe sending.frame else {
            return true
        }
        unsafe sending.frame = nil
        // SAFETY: nghttp2 passes the 9 bytes of a header.
        let first = unsafe UnsafeRawPointer(header).loadUnaligned(as: UInt64.self)
        unsafe output.pointee.set(bigEndian: UInt64(bigEndian: first), at: frame)
        unsafe output.pointee.set(bigEndian: header[8], at: frame + 8)
        let readable = unsafe output.pointee.readableBytes
        unsafe counted.sentDataBytes += readable - frame - FrameScanner.headerBytes
        unsafe flood.sentData()
        return unsafe readable >= sending.target
    }

    func headersSent(_ stream: Int32) {
        unsafe flood.sentData()
        if isUnsent(stream) {
            lastRequest = stream
            queuedRequests -= 1
            unsafe opened += 1
            unsafe counted.streams += 1
        }
    }

    func resetSent(_ stream: Int32, _ code: HTTP2ErrorCode, isOwn: Bool) {
        if isOwn {
            unsafe counted.ownResets += 1
            return
        }
        let isRefusal = code == .refusedStream
        if isRefusal {
            unsafe counted.refusedStreams += 1
        } else {
            unsafe counted.provokedResets += 1
        }
        lastReset = stream
        if failure != nil { return }
        let found = unsafe isRefusal ? flood.refused(now: now) : flood.provoked(now: now)
        if let found { unsafe sending.error = fail(.flood(found)) }
    }

    func goAwaySent(_ code: HTTP2ErrorCode, _ text: RawSpan) {
        if code == .noError { return }
        unsafe sending.isFinal = true
        if failure != nil || isLeaving { return }
        // SAFETY: the pointer does not escape from the closure.
        let message = unsafe text.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
        let error = HTTP2Error.connection(code, message)
        failure = error
        unsafe sending.error = error
        note(error)
    }
}
