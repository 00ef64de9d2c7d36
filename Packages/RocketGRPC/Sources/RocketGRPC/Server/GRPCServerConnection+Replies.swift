import RocketBase
import RocketCodec
import RocketHTTP2
import RocketReactor
@_spi(Transport) import RocketRPC

// Frames of the RPC side become HTTP/2's responses.

extension GRPCServerConnection {
    /// Takes all frames that the RPC side has sent.
    func takeReplies() {
        if unsafe output.isEmpty { return }
        var bytes = ByteBuffer()
        unsafe swap(&bytes, &output)
        while !bytes.isEmpty {
            let byteCount = bytes.withBytes { bytes -> Int in
                // What this process has written is valid.
                guard case .frame(let frame, let byteCount)? = try? settings.codec.step(bytes)
                else {
                    return 0
                }
                take(frame, bytes)
                return byteCount
            }
            if byteCount == 0 { break }
            bytes.consume(byteCount)
        }
        bytes.removeAll()
        bytes.shrink(keepBytes: 64 << 10)
        unsafe swap(&bytes, &output)
    }

    /// The responses of the calls whose frames are in the output, from `start` on, are not compressed.
    func stopCompressing(from start: Int) {
        unsafe output.withBytes { bytes in
            var rest = bytes.extracting(min(start, bytes.byteCount)...)
            while case .frame(let frame, let byteCount)? = try? settings.codec.step(rest) {
                if let stream = stream(of: rest.extracting(frame.messageID)) {
                    unsafe stream.output.stopCompressing()
                    stream.responseEncoding = .identity
                }
                rest = rest.extracting(byteCount...)
            }
        }
    }

    private func stream(of id: RawSpan) -> ServerStream? {
        id.decimal.flatMap { stream(HTTP2StreamID(rawValue: Int32(clamping: $0))) }
    }

    private func take(_ frame: TinyPBFrame, _ bytes: RawSpan) {
        let id = bytes.extracting(frame.messageID)
        let name = FrameName(bytes.extracting(frame.methodName))
        if id.byteCount == 0 {
            switch name {
            case .goAway?: beginDrain()
            case .window?: connectionLimit(bytes.extracting(frame.payload))
            default: break
            }
            return
        }
        // Of a call whose stream has ended meanwhile there is none.
        guard let stream = stream(of: id), !stream.isAnswered else { return }
        switch name {
        case .data?:
            message(
                stream, bytes.extracting(frame.payload), isLast: frame.errorInfo.isEmpty)
        case .window?:
            guard let limit = bytes.extracting(frame.payload).bigEndian else { return }
            if firstLimit == nil { firstLimit = limit }
            unsafe stream.input?.raise(to: limit)
            resume(stream)
        case .headers?:
            let block = bytes.extracting(frame.errorInfo)
            sendHeaders(of: stream, MetadataBlock.read(block) ?? [:])
        case .cancel?, .goAway?: break
        case nil: reply(stream, frame, bytes)
        }
        countReply(of: stream)
    }

    private func connectionLimit(_ payload: RawSpan) {
        guard let limit = payload.bigEndian else { return }
        connectionCredit.raise(to: limit)
        let waiting = blocked
        blocked = []
        for number in waiting {
            guard let stream = unsafe streams[number] else { continue }
            stream.isBlocked = false
            resume(stream)
        }
    }

    // MARK: Responses

    private func sendHeaders(of stream: ServerStream, _ metadata: Metadata = [:]) {
        if stream.areHeadersSent { return }
        stream.areHeadersSent = true
        unsafe pings.sentData()
        var headers = wire.plainHeaders
        if stream.responseEncoding != .identity {
            headers = GRPCServerWire.headers(stream.responseEncoding, wire.encodings)
        }
        for (name, value) in MetadataHeaders.fields(metadata) { headers.add(name, value) }
        session?.headers(headers, on: stream.id, endsStream: false)
    }

    /// A message of a stream of responses, or a part of one.
    private func message(_ stream: ServerStream, _ part: RawSpan, isLast: Bool) {
        connectionWindow.receive(part.byteCount)
        if let limit = connectionWindow.update(held: 0) {
            unsafe frames.appendWindow(RawSpan(), limit: limit, to: &input)
            hasNewInput = true
        }
        sendHeaders(of: stream)
        let hasMore = unsafe stream.output.append(part, isLast: isLast, compressor)
        updateWindow(of: stream)
        if hasMore { resumeData(of: stream) }
    }

    private func resumeData(of stream: ServerStream) {
        if !stream.isWaiting { return }
        stream.isWaiting = false
        session?.resumeData(on: stream.id)
    }

    /// Lets the RPC side send more on a stream of responses.
    private func updateWindow(of stream: ServerStream) {
        guard stream.kind.streamsResponses, !stream.isAnswered,
            let limit = unsafe stream.output.windowUpdate()
        else { return }
        unsafe stream.messageID.withBytes {
            unsafe frames.appendWindow($0, limit: limit, to: &input)
        }
        hasNewInput = true
    }

    /// The end of a call.
    private func reply(_ stream: ServerStream, _ frame: TinyPBFrame, _ bytes: RawSpan) {
        if let call = stream.connect { return reply(stream, call, frame, bytes) }
        let info = bytes.extracting(frame.errorInfo)
        if frame.errorCode != 0 { return fail(stream, frame, info, bytes) }
        unsafe stream.trailers = wire.plainTrailers
        if MetadataHeaders.hasEntries(info), let found = MetadataBlock.readReply(info) {
            sendHeaders(of: stream, found.metadata)
            unsafe Self.add(found.trailing, to: &stream.trailers)
        } else {
            sendHeaders(of: stream)
        }
        if !info.isEmpty, let load = LoadLine(block: info) {
            unsafe stream.trailers.add(OrcaLoad.name, OrcaLoad.encode(load))
        }
        if !stream.kind.streamsResponses {
            _ = unsafe stream.output.append(
                bytes.extracting(frame.payload), isLast: true, compressor)
        }
        stream.isAnswered = true
        sendTrailers(of: stream)
    }

    /// Ends a response: behind the bytes that wait, or at once if there are none, because trailers need
    /// no room in the client's window.
    private func sendTrailers(of stream: ServerStream) {
        if unsafe stream.output.sendableBytes > 0 { return resumeData(of: stream) }
        unsafe session?.trailers(stream.trailers, on: stream.id)
    }

    private func fail(
        _ stream: ServerStream, _ frame: TinyPBFrame, _ text: RawSpan, _ bytes: RawSpan
    ) {
        // Nothing but the error: most likely the same one as for the call before.
        if frame.payload.isEmpty, !stream.areHeadersSent, !stream.isLate {
            if unsafe !prepared.isFor(frame.errorCode, text) {
                let failure = WireFailure(RPCErrorCode(rawValue: frame.errorCode), text.text)
                unsafe prepared.set(frame.errorCode, text, headers(of: failure, nil))
            }
            stream.isAnswered = true
            unsafe pings.sentData()
            unsafe session?.headers(prepared.headers, on: stream.id, endsStream: true)
            return
        }
        let status = ErrorStatus.read(bytes.extracting(frame.payload))
        fail(stream, WireFailure(RPCErrorCode(rawValue: frame.errorCode), text.text), status)
    }

    /// Ends a call that the RPC side has answered with an error.
    private func fail(_ stream: ServerStream, _ failure: WireFailure, _ status: ErrorStatus?) {
        // Not begun: a client may send it again, to another server, without asking anybody.
        if stream.isLate, failure.code == .unavailable, !stream.areHeadersSent {
            stream.isAnswered = true
            session?.reset(stream.id, .refusedStream)
        } else {
            finish(stream, failure, status)
        }
    }

    /// Ends a call with a status.
    func finish(_ stream: ServerStream, _ failure: WireFailure, _ status: ErrorStatus? = nil) {
        stream.isAnswered = true
        if !stream.areHeadersSent { return answer(stream.id, failure, status) }
        unsafe stream.trailers = HTTP2Headers()
        unsafe Self.add(failure, status, to: &stream.trailers)
        sendTrailers(of: stream)
    }

    /// Sends a response that is a status only.
    func answer(_ id: HTTP2StreamID, _ failure: WireFailure, _ status: ErrorStatus? = nil) {
        unsafe pings.sentData()
        session?.headers(headers(of: failure, status), on: id, endsStream: true)
    }

    private func headers(of failure: WireFailure, _ status: ErrorStatus?) -> HTTP2Headers {
        var headers = HTTP2Headers([":status": "200", "content-type": ContentType.sent])
        Self.add(failure, status, to: &headers)
        if !wire.encodings.names.isEmpty {
            headers.add("grpc-accept-encoding", wire.encodings.text)
        }
        return headers
    }

    private static func add(_ metadata: Metadata, to headers: inout HTTP2Headers) {
        for (name, value) in MetadataHeaders.fields(metadata) { headers.add(name, value) }
    }

    private static func add(
        _ failure: WireFailure, _ status: ErrorStatus?, to headers: inout HTTP2Headers
    ) {
        headers.add("grpc-status", "\(failure.code.grpcStatus)")
        if !failure.text.isEmpty {
            headers.add("grpc-message", StatusMessage.encode(failure.text))
        }
        // gRPC has fewer codes: our channels read the exact one.
        if RPCErrorCode(grpcStatus: failure.code.grpcStatus) != failure.code {
            headers.add(ExactCode.name, "\(failure.code.rawValue)")
        }
        guard let status else { return }
        add(status.trailingMetadata, to: &headers)
        if let details = StatusDetails.encode(status) { headers.add(StatusDetails.name, details) }
    }

    func nextData(
        _ stream: HTTP2StreamID, into output: inout HTTP2DataWriter
    ) -> HTTP2NextData {
        guard let known = self.stream(stream) else { return .end }
        let count = unsafe min(output.room, known.output.sendableBytes)
        if count > 0 {
            unsafe pings.sentData()
            unsafe known.output.take(atMost: count) { output.append($0) }
            countReply(of: known)
            updateWindow(of: known)
        }
        let isEmpty = unsafe known.output.sendableBytes == 0
        if isEmpty, known.isAnswered {
            return unsafe known.connect == nil ? .endWithTrailers(known.trailers) : .end
        }
        if count > 0 { return .wrote }
        known.isWaiting = true
        return .wait
    }

    // MARK: The end of the connection

    /// Begins to drain, once: the client learns that it has to open another connection, and its calls
    /// that are on their way are still taken. The last stream is fixed when it has answered a ping.
    func beginDrain() {
        guard drain == .none, let session else { return }
        drain = .announced
        // Without a text: with one it would be the last notice for nghttp2.
        session.goAway(last: nil, .noError)
        reactor.schedule(after: Self.drainPingTimeout, label: "gRPC drain") { [weak self] _ in
            self?.finishDrain()
        }
        enrol()
    }

    /// How long a client may take to answer the ping of a drain.
    private static let drainPingTimeout = Duration.seconds(1)

    func finishDrain() {
        guard drain == .announced, let session else { return }
        drain = .final
        session.goAway(last: session.lastPeerStream, .noError, "the server is draining")
        enrol()
    }

    /// The RPC side closes the connection: it will not answer what it has not been passed.
    func refuseUnanswered() {
        guard let session else { return }
        if drain != .final {
            drain = .final
            session.goAway(last: session.lastPeerStream, .noError, "")
        }
        for stream in unsafe streams.all where !stream.isAnswered {
            stream.isAnswered = true
            session.reset(stream.id, .refusedStream)
        }
    }
}
