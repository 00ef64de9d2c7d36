import RocketBase
import RocketCodec
import RocketHTTP2
@_spi(Transport) import RocketRPC

// HTTP/2's responses become frames for the RPC side.

extension GRPCClientConnection: HTTP2SessionHandler {
    func stream(_ id: HTTP2StreamID) -> ClientStream? {
        guard let session else { return nil }
        return streams[session.userData(of: id)]
    }

    func headersBegan(_ stream: HTTP2StreamID) { response.begin() }

    func header(_ stream: HTTP2StreamID, name: RawSpan, value: RawSpan) {
        response.add(name, value)
    }

    func headersEnded(_ stream: HTTP2StreamID, endsStream: Bool) {
        guard let known = self.stream(stream), !known.isAnswered else { return }
        known.isResponseEnded = endsStream
        if known.hasResponse {
            // Trailers.
            end(known, status: response.status)
        } else if let status = response.httpStatus, (100..<200).contains(status), !endsStream {
            return
        } else if let failure = response.failure {
            fail(known, failure)
        } else if endsStream {
            end(known, status: response.status)
        } else {
            beginResponse(known)
        }
        count(known)
    }

    func headersTooLarge(_ stream: HTTP2StreamID, endsStream: Bool, on session: HTTP2Session) {
        guard let known = self.stream(stream) else { return }
        fail(known, WireFailure(.resourceExhausted, "the response's header fields are too large"))
    }

    private func beginResponse(_ stream: ClientStream) {
        stream.hasResponse = true
        let encoding = response.encoding ?? .identity
        let most = settings.codec.maxFrameBytes
        if stream.kind.streamsResponses {
            stream.input = StreamInput(
                maxMessageBytes: most, limit: stream.window, encoding: encoding)
            if response.lines.isEmpty { return }
            withBlock { block in
                stream.messageID.withBytes { frames.appendHeaders($0, block: block, to: &input) }
            }
            hasNewInput = true
        } else {
            stream.collector = MessageCollector(
                maxMessageBytes: max(0, most - 256 - MetadataBlock.announcedLimitBytes),
                encoding: encoding)
            response.lines.withBytes { stream.lines.append($0) }
        }
    }

    /// Passes the metadata of the response as a block.
    private func withBlock(_ body: (RawSpan) -> Void) {
        scratch.removeAll()
        MetadataHeaders.appendStart(to: &scratch)
        response.lines.withBytes { scratch.append($0) }
        scratch.withBytes(body)
    }

    // MARK: Messages

    func data(_ stream: HTTP2StreamID, _ bytes: RawSpan) {
        guard let known = self.stream(stream), !known.isAnswered else {
            session?.consumed(bytes.byteCount, on: stream)
            return
        }
        do throws(WireFailure) {
            if known.collector != nil {
                session?.consumed(bytes.byteCount, on: stream)
                try known.collector?.receive(bytes, into: &known.message, compressor)
            } else if known.input != nil {
                known.unreturnedBytes += bytes.byteCount
                try pass(known, bytes)
            } else {
                session?.consumed(bytes.byteCount, on: stream)
            }
        } catch { fail(known, error) }
        count(known)
    }

    private func pass(_ stream: ClientStream, _ bytes: RawSpan) throws(WireFailure) {
        let sink = StreamInput.Sink(frames: frames, compressor: compressor)
        let before = input.readableBytes
        let taken = try stream.messageID.withBytes { (id) throws(WireFailure) in
            try stream.input?.receive(bytes, id, sink, &connectionCredit, into: &input) ?? 0
        }
        stream.unreturnedBytes -= taken
        if let id = stream.id { session?.consumed(taken, on: id) }
        if input.readableBytes > before { hasNewInput = true }
        if connectionCredit.available == 0, !stream.isBlocked {
            stream.isBlocked = true
            blocked.append(stream.number)
        }
        if stream.reply != nil, try stream.input?.takeEnd() ?? false { passReply(stream) }
    }

    /// The RPC side has given credit for a stream.
    func resume(_ stream: ClientStream) {
        if stream.isAnswered || stream.input == nil { return }
        do throws(WireFailure) {
            try pass(stream, RawSpan())
        } catch { fail(stream, error) }
        if stream.isAnswered { removeIfClosed(stream) }
    }

    func inputEnded(_ stream: HTTP2StreamID) {
        // After trailers the call has ended already.
        guard let known = self.stream(stream) else { return }
        known.isResponseEnded = true
        if known.isAnswered || known.reply != nil { return }
        fail(known, WireFailure(.unknown, "the response ended without a status"))
    }

    // MARK: Ends

    /// The status of a call has come.
    private func end(_ stream: ClientStream, status: Int?) {
        guard let status else {
            return fail(stream, WireFailure(.unknown, "the response ended without a status"))
        }
        let reply = ClientStream.Reply(
            status: status, code: response.code, text: response.message,
            details: response.details, load: response.load, lines: response.lines.copyBytes())
        stream.reply = reply
        do throws(WireFailure) {
            if stream.input != nil {
                stream.input?.end()
                guard try stream.input?.takeEnd() ?? false else { return }
            } else if status == 0, !stream.kind.streamsResponses {
                guard stream.collector != nil else {
                    throw WireFailure(.unimplemented, "the response has no message")
                }
                try stream.collector?.end()
            }
        } catch { return fail(stream, error) }
        passReply(stream)
    }

    private func passReply(_ stream: ClientStream) {
        guard let reply = stream.reply else { return }
        if reply.status != 0 { return fail(stream, reply) }
        scratch.removeAll()
        if !stream.lines.isEmpty || !reply.lines.isEmpty {
            MetadataHeaders.appendStart(to: &scratch)
            stream.lines.withBytes { scratch.append($0) }
            var isStart = true
            for byte in reply.lines {
                if isStart { scratch.append(utf8: "trailing-") }
                scratch.append(byte: byte)
                isStart = byte == UInt8(ascii: "\n")
            }
        }
        reply.load?.append(to: &scratch, limitBytes: .max)
        let start = stream.messageID.withBytes { id in
            scratch.withBytes { info in
                settings.codec.begin(
                    messageID: id, methodName: RawSpan(), errorInfo: info, in: &input)
            }
        }
        stream.message.withBytes { input.append($0) }
        do throws(FrameError) {
            try settings.codec.finish(start, in: &input)
        } catch {
            return fail(stream, WireFailure(.resourceExhausted, "the reply: \(error)"))
        }
        answered(stream)
    }

    /// Ends a call with the error of its server.
    private func fail(_ stream: ClientStream, _ reply: ClientStream.Reply) {
        stream.messageID.withBytes { id in
            frames.appendError(id, WireFailure(reply.code, reply.text), to: &input) {
                StatusDetails.append(
                    reply.details, code: reply.code, text: reply.text, lines: reply.lines, to: &$0)
            }
        }
        answered(stream)
    }

    /// Ends a call with an error.
    private func fail(_ stream: ClientStream, _ failure: WireFailure) {
        if stream.isAnswered { return }
        stream.messageID.withBytes { answer($0, failure) }
        answered(stream)
    }

    /// The RPC side has its reply: what is left of the stream is not needed.
    private func answered(_ stream: ClientStream) {
        stream.isAnswered = true
        hasNewInput = true
        returnUnread(of: stream)
        if stream.isRequestSent, stream.isResponseEnded { return }
        if let id = stream.id { session?.reset(id, .cancel) }
    }

    func streamClosed(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        guard let session, let known = self.stream(stream) else { return }
        if known.isAnswered { return remove(session.userData(of: stream)) }
        if known.reply != nil, code == .noError {
            // Messages wait for the credit of the RPC side.
            known.isClosed = true
            return
        }
        if code == .refusedStream {
            fail(known, WireFailure(.unavailable, "the server has not begun the call"))
        } else {
            fail(
                known,
                WireFailure(
                    ResetCode.code(code.rawValue),
                    "the server has reset the stream: \(code)"))
        }
        remove(session.userData(of: stream))
    }

    /// Whether the only calls on the connection are such whose responses have come as a whole, and wait
    /// for the credit of the RPC side.
    var hasOnlyWholeResponses: Bool {
        var found = false
        for stream in streams.all where !stream.isAnswered {
            if !stream.isClosed { return false }
            found = true
        }
        return found
    }

    /// Calls that waited for the server's limit on streams were not sent: the channel sends them
    /// again.
    func failQueued() {
        guard let session else { return }
        for stream in streams.all {
            guard let id = stream.id, !stream.isAnswered, session.isQueued(id) else { continue }
            let failure = WireFailure(.unavailable, "the connection ended before the call was sent")
            stream.messageID.withBytes { answer($0, failure) }
        }
        deliver()
    }

    /// Forgets a call whose stream has ended before its messages were passed on.
    private func removeIfClosed(_ stream: ClientStream) {
        if stream.isClosed { remove(stream.number) }
    }

    // MARK: The connection

    func goAwayReceived(last: HTTP2StreamID, _ code: HTTP2ErrorCode, text: String) {
        if code == .enhanceYourCalm, text == "too_many_pings" { wire.pingLess() }
        leave(code.description, text)
    }

    func settingsReceived() { areSettingsKnown = true }
    func pingReceived() {}
    func pingAcknowledged(_ payload: UInt64) {}
}
