import RocketBase
import RocketHTTP2
import RocketReactor
@_spi(Transport) import RocketRPC
import RocketTCP

// What is done at the end of the tick, and what is passed on between the two sides.

extension GRPCServerConnection: TickEndHandler {
    func enrol() {
        if isEnrolled || transport == nil { return }
        isEnrolled = true
        reactor.observeTickEnd(self)
    }

    func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        if transport == nil { return }
        takeReplies()
        returnCredit()
        if closing != nil { refuseUnanswered() }
        flush()
        deliver()
        reportHeldBytes()
        if isHeldBack, !isFull(above: Self.replyMarkBytes / 2), transport != nil {
            isHeldBack = false
            rpc.writabilityChanged(self, isWritable: true)
        }
        unsafe keepalive?.expect(hasCalls: streams.count > 0)
    }

    /// Passes new frames to the RPC side.
    func deliver() {
        if !hasNewInput || transport == nil { return }
        hasNewInput = false
        lendInput { rpc.received(self, &$0) }
        if unsafe input.isEmpty && input.capacityBytes > 64 << 10 { unsafe input.shrink() }
    }

    /// Lends the input to the RPC side, which uses this connection meanwhile: sends, changes
    /// `handlerBytes`.
    func lendInput(_ body: (inout ByteBuffer) -> Void) {
        var buffer = ByteBuffer()
        unsafe swap(&buffer, &input)
        body(&buffer)
        if unsafe !input.isEmpty {
            unsafe input.withBytes { buffer.append($0) }
            unsafe input.removeAll()
        }
        unsafe swap(&buffer, &input)
    }

    /// Lets the client send as many bytes more, unless the RPC side is behind.
    func consumed(_ bytes: Int, on stream: HTTP2StreamID) {
        if unsafe input.readableBytes > Self.inputMarkBytes {
            if let last = unsafe withheld.last, last.stream == stream {
                unsafe withheld[withheld.count - 1].bytes += bytes
            } else {
                unsafe withheld.append((stream, bytes))
            }
        } else {
            session?.consumed(bytes, on: stream)
        }
    }

    private func returnCredit() {
        if unsafe withheld.isEmpty || input.readableBytes > Self.inputMarkBytes { return }
        for (stream, bytes) in unsafe withheld { session?.consumed(bytes, on: stream) }
        unsafe withheld.removeAll()
    }

    /// Passes on what the session has to send, as far as the connection below takes it.
    private func flush() {
        guard let session else { return }
        flush(session)
        // Behind GOAWAY: HTTP/2's session sends pings first.
        if drain == .announced, !isDrainPinged, !session.wantsSend {
            isDrainPinged = true
            session.ping(Self.drainPayload)
            flush(session)
        }
        closeIfDone(session)
    }

    private func flush(_ session: HTTP2Session) {
        guard let transport else { return }
        while session.wantsSend, transport.isWritable {
            var found: HTTP2Error?
            transport.send { output in
                do throws(HTTP2Error) {
                    try session.send(into: &output, atMost: 64 << 10)
                } catch { found = error }
            }
            if let found { fail(found) }
        }
    }

    private func closeIfDone(_ session: HTTP2Session) {
        guard let transport else { return }
        if let failure {
            return transport.close(.afterFlush, reason: .rejected(failure))
        }
        guard session.openStreams == 0, !session.wantsSend else { return }
        if let closing {
            transport.close(.afterFlush, reason: closing)
        } else if drain == .final {
            transport.close(.afterFlush, reason: .drained)
        } else if session.isOver {
            transport.close(.afterFlush, reason: .peerFinished)
        }
    }

    func reportHeldBytes() {
        let buffered = unsafe input.readableBytes + output.readableBytes
        transport?.handlerBytes =
            unsafe handlerBytes + requestBytes + outputBytes + buffered
            + streams.count * Self.streamBytes
    }

    /// What a stream costs besides: this object, and nghttp2's.
    private static let streamBytes = 1 << 10

    func keepaliveDue() {
        switch unsafe keepalive?.due(hasCalls: streams.count > 0) {
        case .ping?:
            session?.ping(Self.keepalivePayload)
            enrol()
        case .close?: transport?.close(.now, reason: .peerSilent)
        case .nothing?, nil: break
        }
    }

    /// In pings of keepalive, and of a drain.
    private static let keepalivePayload: UInt64 = 0x726B_6B61
    static let drainPayload: UInt64 = 0x726B_6472
}
