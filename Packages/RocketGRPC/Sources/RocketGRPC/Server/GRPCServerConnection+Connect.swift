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

    /// Answers a call with what the RPC side has replied.
    func reply(
        _ stream: ServerStream, _ call: ConnectCall, _ frame: TinyPBFrame, _ bytes: RawSpan
    ) {
        let info = bytes.extracting(frame.errorInfo)
        let payload = bytes.extracting(frame.payload)
        if frame.errorCode != 0 {
            let failure = WireFailure(RPCErrorCode(rawValue: frame.errorCode), info.text)
            return answer(stream, failure, ErrorStatus.read(payload))
        }
        do throws(WireFailure) {
            var response = try response(to: call, payload, stream.responseEncoding)
            if MetadataHeaders.hasEntries(info), let found = MetadataBlock.readReply(info) {
                response.add(leading: found.metadata, trailing: found.trailing)
            }
            send(response, on: stream, call)
        } catch { answer(stream, error, nil) }
    }

    private func response(
        to call: ConnectCall, _ payload: RawSpan, _ encoding: MessageEncoding
    ) throws(WireFailure) -> ConnectResponse {
        let body: [UInt8]
        switch call.codec {
        case .proto: body = payload.bytes
        case .json:
            guard let types = call.types else { throw WireFailure(.internal, "no types") }
            body = try JSONMessages.json(payload, of: types.response)
            if body.count > settings.codec.maxFrameBytes {
                throw WireFailure(
                    .resourceExhausted,
                    "the response has \(body.count) bytes as JSON; "
                        + "\(settings.codec.maxFrameBytes) are allowed")
            }
        }
        if case .number(let number) = encoding, let compressed = compress(body, number) {
            let name = wire.encodings.names[number]
            return ConnectResponse(call.codec, compressed, encoding: name)
        }
        return ConnectResponse(call.codec, body, encoding: nil)
    }

    /// - Returns: nil for a body that is too short, or gets no shorter.
    private func compress(_ body: [UInt8], _ encoding: Int) -> [UInt8]? {
        if body.count < StreamOutput.leastCompressedBytes { return nil }
        var compressed = ByteBuffer(limitBytes: body.count)
        // SAFETY: the array lives, unchanged, until compress returns.
        let plain = unsafe body.span.bytes
        guard let compressor,
            (try? compressor.compress(plain, encoding: encoding, into: &compressed)) != nil
        else { return nil }
        return compressed.copyBytes()
    }

    /// Answers a call with an error.
    ///
    /// - Parameter httpStatus: nil: that of the code.
    func answer(
        _ stream: ServerStream, _ failure: WireFailure, _ status: ErrorStatus?,
        httpStatus: Int? = nil
    ) {
        var response = ConnectResponse(failure, status?.details ?? [], httpStatus: httpStatus)
        if httpStatus == 415 { response.headers.add("accept-post", ContentType.sent) }
        if failure.code == .unimplemented, !wire.encodings.names.isEmpty {
            response.headers.add("accept-encoding", wire.encodings.names.joined(separator: ","))
        }
        response.add(leading: [:], trailing: status?.trailingMetadata ?? [:])
        if let call = stream.connect { send(response, on: stream, call) }
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
        let fields: KeyValuePairs<String, String> =
            switch httpStatus {
            case 405: ["allow": "POST"]
            case 415: ["accept-post": types + ContentType.sent]
            default: [:]
            }
        respond(to: addStream(id, .unary), ConnectResponse(httpStatus: httpStatus, fields))
    }
}

extension RawSpan {
    /// The bytes as an array.
    fileprivate var bytes: [UInt8] {
        // SAFETY: the pointer does not escape from the closure.
        unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
