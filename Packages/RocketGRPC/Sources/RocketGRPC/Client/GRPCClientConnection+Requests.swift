import RocketBase
import RocketCodec
import RocketHTTP2
@_spi(Transport) import RocketRPC
import RocketTCP

// Frames of the RPC side become HTTP/2's requests.

extension GRPCClientConnection {
    func sendUncompressed(_ body: (inout ByteBuffer) -> Void) -> Bool {
        // The frames are taken before it returns.
        compressesRequests = false
        defer { compressesRequests = true }
        return send(body)
    }

    func take(_ frame: TinyPBFrame, _ bytes: RawSpan) {
        let id = bytes.extracting(frame.messageID)
        guard let name = FrameName(bytes.extracting(frame.methodName)) else {
            return begin(frame, bytes)
        }
        if id.byteCount == 0 {
            if name == .window { connectionLimit(bytes.extracting(frame.payload)) }
            return
        }
        guard let number = numbers[InlineString(bytes: id)], let stream = streams[number] else {
            return
        }
        switch name {
        case .data:
            let info = bytes.extracting(frame.errorInfo)
            if info.equals("end") {
                stream.isRequestWhole = true
                resumeData(of: stream)
            } else {
                message(stream, bytes.extracting(frame.payload), isLast: info.byteCount == 0)
            }
        case .window:
            guard let limit = bytes.extracting(frame.payload).bigEndian else { return }
            stream.window = max(stream.window, limit)
            stream.input?.raise(to: limit)
            resume(stream)
        case .cancel: cancel(stream)
        case .headers, .goAway: break
        }
        count(stream)
    }

    private func connectionLimit(_ payload: RawSpan) {
        guard let limit = payload.bigEndian else { return }
        connectionCredit.raise(to: limit)
        let waiting = blocked
        blocked = []
        for number in waiting {
            guard let stream = streams[number] else { continue }
            stream.isBlocked = false
            resume(stream)
        }
    }

    // MARK: Beginning

    private func begin(_ frame: TinyPBFrame, _ bytes: RawSpan) {
        let id = bytes.extracting(frame.messageID)
        let info = bytes.extracting(frame.errorInfo)
        guard let session, !isGoingAway, session.failure == nil else {
            return answer(id, WireFailure(.unavailable, "the connection takes no more calls"))
        }
        if let failure = writeHeaders(bytes.extracting(frame.methodName), info) {
            return answer(id, failure)
        }
        let stream = spare.popLast() ?? ClientStream()
        let number = streams.add(stream)
        stream.begin(id, number: number, Self.kind(info))
        stream.window = Self.window(info)
        stream.output.begin(
            windowBytes: wire.configuration.requestWindowBytes, encoding: requestEncoding)
        do throws(HTTP2Error) {
            stream.id = try session.request(headers, endsStream: false, userData: number)
        } catch {
            remove(number)
            let code: RPCErrorCode =
                error == .tooManyRequests ? .resourceExhausted : .unavailable
            return answer(id, WireFailure(code, error.description))
        }
        numbers[stream.key] = number
        if stream.kind.streamsRequests {
            // The credit of a stream that the RPC side knows only from the server's first window.
            frames.appendWindow(
                id, limit: UInt64(wire.configuration.requestWindowBytes), to: &input)
            hasNewInput = true
        } else {
            _ = stream.output.append(
                bytes.extracting(frame.payload), isLast: true, compressor)
            stream.isRequestWhole = true
        }
        count(stream)
    }

    private static func kind(_ info: RawSpan) -> RPCMethodKind {
        guard let value = MetadataBlock.value(of: "stream", in: info) else { return .unary }
        return RPCMethodKind(wireName: info.extracting(value)) ?? .unary
    }

    private static func window(_ info: RawSpan) -> UInt64 {
        guard let value = MetadataBlock.value(of: "window", in: info) else { return 0 }
        return UInt64(info.extracting(value).decimal ?? 0)
    }

    /// Writes the fields of a request to `headers`.
    ///
    /// - Returns: why it can't be sent; nil if it can.
    private func writeHeaders(_ name: RawSpan, _ info: RawSpan) -> WireFailure? {
        guard let path = MethodPath.path(of: name) else {
            return WireFailure(.parseServiceName, "the name '\(name.text)' has no service")
        }
        headers.removeAll()
        headers.add(":method", "POST")
        headers.add(":scheme", transport?.negotiatedProtocol == nil ? "http" : "https")
        headers.add(":path", path)
        headers.add(":authority", authority)
        headers.add("te", "trailers")
        headers.add("content-type", ContentType.sent)
        headers.add("user-agent", wire.userAgent)
        if !wire.encodings.names.isEmpty {
            headers.add("grpc-accept-encoding", wire.encodings.text)
        }
        if case .number(let number) = requestEncoding {
            headers.add("grpc-encoding", wire.encodings.names[number])
        }
        if let timeout = MetadataBlock.timeoutMilliseconds(info) {
            headers.add("grpc-timeout", GRPCTimeout.text(milliseconds: timeout))
        }
        var problem: String?
        for (name, value) in MetadataHeaders.fields(info, { problem = problem ?? $0 }) {
            if name == "user-agent" { continue }
            headers.add(name, value, isSensitive: name == "authorization")
        }
        return problem.map {
            WireFailure(
                .failedEncode,
                "gRPC can't carry the metadata '\($0)': its value is not printable ASCII, or the "
                    + "name belongs to HTTP or gRPC; names of bytes end in -bin")
        }
    }

    /// What the requests of the call that begins are compressed by.
    private var requestEncoding: MessageEncoding {
        compressesRequests ? wire.requestEncoding : .identity
    }

    private var authority: String {
        if let authority = wire.configuration.authority { return authority }
        return peerAddress.isUnix ? "localhost" : peerAddress.description
    }

    /// Answers a call that was not sent.
    func answer(_ id: RawSpan, _ failure: WireFailure) {
        frames.appendError(id, failure, to: &input)
        hasNewInput = true
    }

    // MARK: Messages

    private func message(_ stream: ClientStream, _ part: RawSpan, isLast: Bool) {
        connectionWindow.receive(part.byteCount)
        if let limit = connectionWindow.update(held: 0) {
            frames.appendWindow(RawSpan(), limit: limit, to: &input)
            hasNewInput = true
        }
        if stream.isRequestWhole { return }
        let hasMore = stream.output.append(part, isLast: isLast, compressor)
        updateWindow(of: stream)
        if hasMore { resumeData(of: stream) }
    }

    private func resumeData(of stream: ClientStream) {
        if !stream.isWaiting { return }
        stream.isWaiting = false
        if let id = stream.id { session?.resumeData(on: id) }
    }

    private func updateWindow(of stream: ClientStream) {
        guard stream.kind.streamsRequests, !stream.isAnswered,
            let limit = stream.output.windowUpdate()
        else { return }
        stream.messageID.withBytes { frames.appendWindow($0, limit: limit, to: &input) }
        hasNewInput = true
    }

    func nextData(
        _ stream: HTTP2StreamID, into output: inout HTTP2DataWriter
    ) -> HTTP2NextData {
        guard let known = self.stream(stream) else { return .end }
        let count = min(output.room, known.output.sendableBytes)
        if count > 0 {
            known.output.take(atMost: count) { output.append($0) }
            self.count(known)
            updateWindow(of: known)
        }
        let isEmpty = known.output.sendableBytes == 0
        if isEmpty, known.isRequestWhole {
            known.isRequestSent = true
            return .end
        }
        if count > 0 { return .wrote }
        known.isWaiting = true
        return .wait
    }

    private func cancel(_ stream: ClientStream) {
        stream.isAnswered = true
        if stream.isClosed { return remove(stream.number) }
        guard let id = stream.id, let session else { return }
        session.reset(id, .cancel)
        // The stream may last for as long as those of the server do that keep it from being sent.
        stream.isRequestWhole = false
        stream.output.end()
        stream.dropResponse()
        if session.resetQueuedRequests >= Self.mostResetQueued { leave("it takes no calls", "") }
    }

    /// When so many calls were given up before the server let them begin, the channel uses another
    /// connection: HTTP/2's session can't forget them.
    static let mostResetQueued = 1024

    /// No more calls are sent on this connection.
    func leave(_ reason: String, _ text: String) {
        if isGoingAway { return }
        isGoingAway = true
        frames.appendGoAway(to: &input)
        hasNewInput = true
        settings.logger.debug("server going away") {
            $0.add("code", reason)
            $0.add("text", text)
        }
    }

    /// What will not be read is credit for other streams.
    func returnUnread(of stream: ClientStream) {
        if let id = stream.id { session?.consumed(stream.unreturnedBytes, on: id) }
        stream.unreturnedBytes = 0
    }

    /// Records the bytes that a stream holds.
    func count(_ stream: ClientStream) {
        let bytes = stream.heldBytes
        streamBytes += bytes - stream.countedBytes
        stream.countedBytes = bytes
        let requests = stream.kind.streamsRequests ? 0 : stream.output.heldBytes
        requestBytes += requests - stream.countedRequestBytes
        stream.countedRequestBytes = requests
    }

    /// Forgets a call.
    func remove(_ number: Int) {
        guard let stream = streams.remove(number) else { return }
        returnUnread(of: stream)
        if numbers[stream.key] == number { numbers[stream.key] = nil }
        streamBytes -= stream.countedBytes
        requestBytes -= stream.countedRequestBytes
        stream.end()
        if spare.count < 256 { spare.append(stream) }
    }
}
