import RocketBase
import RocketCodec
import RocketHTTP2
@_spi(Transport) import RocketRPC

// Calls of Connect's unary protocol: the second translation of HTTP/2's streams. What a call does, and
// what limits it, is the same: it becomes the frame that the same call of gRPC becomes.

extension GRPCServerConnection {
    // MARK: Requests

    /// Begins a request whose fields are Connect's.
    ///
    /// - Parameter failure: what is wrong with them.
    func beginConnect(_ id: HTTP2StreamID, _ type: ConnectContentType, _ failure: WireFailure?) {
        let stream = addStream(id, .unary)
        guard case .unary(let codec) = type else { return refuseStream(stream, type) }
        let kind = unsafe head.methodName.withBytes { settings.methodKind($0) }
        let types = unsafe head.methodName.withBytes { settings.messageTypes?($0) }
        unsafe head.writeBlock()
        unsafe appendHead(of: stream, to: &stream.frame)
        let room = unsafe settings.codec.maxFrameBytes - stream.frame.readableBytes - 5
        let call = unsafe ConnectCall(codec, head.encoding, types, maxBytes: max(0, room))
        stream.connect = call
        if let failure { return refuse(stream, failure) }
        if let kind, kind != .unary {
            return refuse(stream, ConnectCall.streamsRefused, httpStatus: 415)
        }
        if types == nil {
            // Answered at once: the RPC side knows how.
            unsafe try? settings.codec.finish(0, in: &stream.frame)
            passFrame(stream)
        } else if let timeout = unsafe head.timeoutMilliseconds, timeout > 0 {
            // A call without any time is refused by the RPC side, when its request has come.
            watchDeadline(of: stream, milliseconds: timeout)
        }
        limitRequestBytes(stream)
    }

    /// Answers a request of Connect's streams as such a stream.
    private func refuseStream(_ stream: ServerStream, _ type: ConnectContentType) {
        guard case .stream(let codec) = type else { return }
        respond(to: stream, .streamRefused(codec))
    }

    /// Answers a request whose body is not read.
    private func respond(to stream: ServerStream, _ response: ConnectResponse) {
        let call = ConnectCall(.json, .identity, nil, maxBytes: settings.codec.maxFrameBytes)
        stream.connect = call
        send(response, on: stream, call)
    }

    /// Takes a part of the body of a call.
    func receive(_ bytes: RawSpan, _ stream: ServerStream, _ call: ConnectCall)
        throws(WireFailure)
    {
        do throws(WireFailure) {
            try call.receive(bytes)
        } catch {
            guard let response = call.takeWaiting() else { throw error }
            send(response, on: stream, call)
        }
    }

    /// The body of a call has ended: passes on its request, or sends the response that waits.
    func endRequest(_ stream: ServerStream, _ call: ConnectCall) throws(WireFailure) {
        call.endInput()
        if let response = call.takeWaiting() { return send(response, on: stream, call) }
        if !call.isCollecting { return }
        try unsafe call.takeRequest(into: &stream.frame, compressor)
        try passRequest(stream)
    }

    // MARK: Responses

    private var responder: ConnectResponder {
        ConnectResponder(settings: settings, encodings: wire.encodings, compressor: compressor)
    }

    /// Answers a call with what the RPC side has replied.
    func reply(
        _ stream: ServerStream, _ call: ConnectCall, _ frame: TinyPBFrame, _ bytes: RawSpan
    ) {
        send(
            responder.response(to: call, frame, bytes, stream.responseEncoding), on: stream, call)
    }

    /// Answers a call with an error.
    ///
    /// - Parameter httpStatus: nil: that of the code.
    func answer(
        _ stream: ServerStream, _ call: ConnectCall, _ failure: WireFailure, httpStatus: Int? = nil
    ) {
        send(responder.response(to: failure, httpStatus: httpStatus), on: stream, call)
    }

    /// Sends a response, or lets it wait for the end of the request.
    private func send(_ response: ConnectResponse, on stream: ServerStream, _ call: ConnectCall) {
        if stream.areHeadersSent { return }
        stream.isAnswered = true
        guard let response = call.keep(response) else { return countRequest(of: stream) }
        stream.areHeadersSent = true
        unsafe pings.sentData()
        unsafe stream.output.append(body: response.body)
        session?.headers(response.headers, on: stream.id, endsStream: response.body.isEmpty)
        countReply(of: stream)
    }

    /// Answers what is neither gRPC nor, where that is served, Connect: by a status of HTTP alone, which
    /// says what would be taken.
    func answer(_ id: HTTP2StreamID, httpStatus: Int) {
        let types = settings.messageTypes == nil ? "" : ConnectContentType.accepted + ", "
        respond(
            to: addStream(id, .unary),
            ConnectResponse(httpStatus: httpStatus, types: types + ContentType.sent))
    }
}
