import RocketBase
import RocketCodec
import RocketHTTP2
import RocketReactor
@_spi(Transport) import RocketRPC
import RocketTCP

// HTTP/2's streams become frames for the RPC side.

extension GRPCServerConnection: HTTP2SessionHandler {
    func headersBegan(_ stream: HTTP2StreamID) {
        isReadingTrailers = self.stream(stream) != nil
        if !isReadingTrailers { unsafe head.begin() }
    }

    func header(_ stream: HTTP2StreamID, name: RawSpan, value: RawSpan) {
        // gRPC's clients have no trailers.
        if !isReadingTrailers { unsafe head.add(name, value) }
    }

    func headersEnded(_ stream: HTTP2StreamID, endsStream: Bool) {
        if isReadingTrailers { return }
        let refusal = unsafe head.end()
        if case .http(let status)? = refusal { return answer(stream, httpStatus: status) }
        var failure: WireFailure?
        if case .status(let found)? = refusal { failure = found }
        if let type = unsafe head.connect {
            beginConnect(stream, type, failure)
        } else if let failure {
            answer(stream, failure)
        } else {
            begin(stream)
        }
    }

    func headersTooLarge(_ stream: HTTP2StreamID, endsStream: Bool, on session: HTTP2Session) {
        if let known = self.stream(stream) { return refuse(known, Self.tooLarge) }
        if let type = unsafe head.connect { return beginConnect(stream, type, Self.tooLarge) }
        answer(stream, Self.tooLarge)
    }

    private static var tooLarge: WireFailure {
        WireFailure(.resourceExhausted, "the header fields of the request are too large")
    }

    func stream(_ id: HTTP2StreamID) -> ServerStream? {
        guard let session else { return nil }
        return unsafe streams[session.userData(of: id)]
    }

    // MARK: Beginning

    private func begin(_ id: HTTP2StreamID) {
        let kind = unsafe head.methodName.withBytes { settings.methodKind($0) }
        let stream = addStream(id, kind ?? .unary)
        unsafe head.writeBlock(
            stream: stream.kind.wireName, window: wire.configuration.responseWindowBytes)
        guard let kind else {
            // Answered at once: the RPC side knows how.
            unsafe appendHead(of: stream, to: &input)
            unsafe try? settings.codec.finish(frameStart, in: &input)
            return passed(stream)
        }
        if kind.streamsRequests { open(stream) } else { collect(stream) }
        limitRequestBytes(stream)
    }

    /// Makes the stream of a request.
    func addStream(_ id: HTTP2StreamID, _ kind: RPCMethodKind) -> ServerStream {
        let stream = loop.takeServerStream()
        let number = unsafe streams.add(stream)
        stream.begin(id, number: number, kind)
        session?.setUserData(number, of: id)
        stream.isLate = drain != .none
        stream.responseEncoding = unsafe head.responseEncoding
        unsafe stream.output.begin(
            windowBytes: wire.configuration.responseWindowBytes,
            encoding: stream.responseEncoding)
        return stream
    }

    func appendHead(of stream: ServerStream, to buffer: inout ByteBuffer) {
        frameStart = unsafe stream.messageID.withBytes { id in
            unsafe head.methodName.withBytes { name in
                unsafe head.block.withBytes {
                    settings.codec.begin(
                        messageID: id, methodName: name, errorInfo: $0, in: &buffer)
                }
            }
        }
    }

    /// A stream of requests: the RPC side begins the call now.
    private func open(_ stream: ServerStream) {
        unsafe appendHead(of: stream, to: &input)
        unsafe try? settings.codec.finish(frameStart, in: &input)
        unsafe stream.input = StreamInput(
            maxMessageBytes: settings.codec.maxFrameBytes, limit: firstLimit ?? 0,
            encoding: head.encoding)
        passed(stream)
    }

    /// One request: the RPC side begins the call when it has arrived.
    private func collect(_ stream: ServerStream) {
        unsafe appendHead(of: stream, to: &stream.frame)
        let room = unsafe settings.codec.maxFrameBytes - stream.frame.readableBytes - 5
        unsafe stream.collector = MessageCollector(
            maxMessageBytes: max(0, room), encoding: head.encoding)
        if let timeout = unsafe head.timeoutMilliseconds {
            watchDeadline(of: stream, milliseconds: timeout)
        }
    }

    private func passed(_ stream: ServerStream) {
        stream.isPassed = true
        hasNewInput = true
    }

    // MARK: Messages

    func data(_ stream: HTTP2StreamID, _ bytes: RawSpan) {
        guard let known = self.stream(stream) else {
            session?.consumed(bytes.byteCount, on: stream)
            return
        }
        do throws(WireFailure) {
            if unsafe known.collector != nil {
                consumed(bytes.byteCount, on: stream)
                try unsafe known.collector?.receive(bytes, into: &known.frame, compressor)
            } else if unsafe known.input != nil {
                known.unreturnedBytes += bytes.byteCount
                try pass(known, bytes)
            } else {
                session?.consumed(bytes.byteCount, on: stream)
                if let call = known.connect { try receive(bytes, known, call) }
            }
        } catch { return refuse(known, error) }
        limitRequestBytes(known)
    }

    /// Refuses a request with which the connection holds too much.
    func limitRequestBytes(_ stream: ServerStream) {
        countRequest(of: stream)
        if requestBytes > wire.configuration.maxBufferedRequestBytes, !stream.isAnswered {
            let text = "the connection holds \(requestBytes) bytes of requests"
            refuse(stream, WireFailure(.resourceExhausted, text))
        }
    }

    /// Passes on bytes of a stream of requests, or what waits of them.
    private func pass(_ stream: ServerStream, _ bytes: RawSpan) throws(WireFailure) {
        let sink = StreamInput.Sink(frames: frames, compressor: compressor)
        let before = unsafe input.readableBytes
        let taken = try unsafe stream.messageID.withBytes { (id) throws(WireFailure) in
            try unsafe stream.input?.receive(bytes, id, sink, &connectionCredit, into: &input) ?? 0
        }
        stream.unreturnedBytes -= taken
        session?.consumed(taken, on: stream.id)
        try passEnd(stream)
        if unsafe input.readableBytes > before { hasNewInput = true }
        if connectionCredit.available == 0, !stream.isBlocked {
            stream.isBlocked = true
            blocked.append(stream.number)
        }
    }

    private func passEnd(_ stream: ServerStream) throws(WireFailure) {
        guard try unsafe stream.input?.takeEnd() ?? false else { return }
        unsafe stream.messageID.withBytes { unsafe frames.appendEnd($0, to: &input) }
        hasNewInput = true
    }

    /// The RPC side has given credit for a stream.
    func resume(_ stream: ServerStream) {
        do throws(WireFailure) {
            if unsafe stream.input != nil { try pass(stream, RawSpan()) }
        } catch { return refuse(stream, error) }
        countRequest(of: stream)
    }

    func inputEnded(_ stream: HTTP2StreamID) {
        guard let known = self.stream(stream) else { return }
        do throws(WireFailure) {
            if unsafe known.collector != nil {
                try unsafe known.collector?.end()
                try passRequest(known)
            } else if let call = known.connect {
                try endRequest(known, call)
            } else {
                unsafe known.input?.end()
                try passEnd(known)
            }
        } catch { return refuse(known, error) }
        countRequest(of: known)
    }

    /// Passes on the frame of a call whose request has arrived.
    func passRequest(_ stream: ServerStream) throws(WireFailure) {
        unsafe stream.collector = nil
        do throws(FrameError) {
            try unsafe settings.codec.finish(0, in: &stream.frame)
        } catch { throw WireFailure(.resourceExhausted, error.description) }
        passFrame(stream)
    }

    /// Passes on the frame of a call.
    func passFrame(_ stream: ServerStream) {
        if unsafe input.isEmpty {
            unsafe swap(&input, &stream.frame)
        } else {
            unsafe stream.frame.withBytes { unsafe input.append($0) }
        }
        unsafe stream.frame.removeAll()
        passed(stream)
    }

    // MARK: Ends

    /// Ends a call that the RPC side has not answered: it never sees it, or is notified.
    ///
    /// - Parameter httpStatus: of a call of Connect: the status, if not that of the code.
    func refuse(_ stream: ServerStream, _ failure: WireFailure, httpStatus: Int? = nil) {
        if stream.isAnswered { return }
        cancel(stream)
        returnUnread(of: stream)
        stream.dropInput()
        if let call = stream.connect {
            answer(stream, call, failure, httpStatus: httpStatus)
        } else {
            finish(stream, failure)
        }
        countRequest(of: stream)
        countReply(of: stream)
    }

    /// What will not be read is credit for other streams.
    private func returnUnread(of stream: ServerStream) {
        session?.consumed(stream.unreturnedBytes, on: stream.id)
        stream.unreturnedBytes = 0
    }

    private func cancel(_ stream: ServerStream) {
        if !stream.isPassed || stream.isAnswered { return }
        unsafe stream.messageID.withBytes { unsafe frames.appendCancel($0, to: &input) }
        hasNewInput = true
    }

    func streamClosed(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        guard let session, let known = unsafe streams.remove(session.userData(of: stream)) else {
            return
        }
        cancel(known)
        returnUnread(of: known)
        requestBytes -= known.countedRequestBytes
        outputBytes -= known.countedOutputBytes
        replyBytes -= known.countedReplyBytes
        known.end()
        loop.give(known)
    }

    /// Records the bytes that a stream holds of its request.
    func countRequest(of stream: ServerStream) {
        let requests = stream.heldRequestBytes
        requestBytes += requests - stream.countedRequestBytes
        stream.countedRequestBytes = requests
    }

    /// Records the bytes that a stream holds of its response.
    func countReply(of stream: ServerStream) {
        let output = stream.heldReplyBytes
        outputBytes += output - stream.countedOutputBytes
        stream.countedOutputBytes = output
        let replies = unsafe stream.kind.streamsResponses ? 0 : stream.output.heldBytes
        replyBytes += replies - stream.countedReplyBytes
        stream.countedReplyBytes = replies
    }

    // MARK: The connection

    func pingReceived() {
        guard unsafe pings.received(at: reactor.now, hasCalls: streams.count > 0), let session
        else {
            return
        }
        session.goAway(last: session.lastPeerStream, .enhanceYourCalm, "too_many_pings")
        failure = "too_many_pings"
        settings.logger.throttled(.warn, "too many pings")?.warn("too many pings") {
            $0.add("peer", peerAddress.description)
        }
    }

    func pingAcknowledged(_ payload: UInt64) {
        if payload == Self.drainPayload { finishDrain() }
    }

    func goAwayReceived(last: HTTP2StreamID, _ code: HTTP2ErrorCode, text: String) {}
    func settingsReceived() {}
}
