import RocketBase
import RocketHTTP2
import RocketReactor
@_spi(Transport) import RocketRPC
import RocketTCP

// What is done at the end of the tick, and what is passed on between the two sides.

extension GRPCClientConnection: TickEndHandler {
    func enrol() {
        if isEnrolled || transport == nil { return }
        isEnrolled = true
        reactor.observeTickEnd(self)
    }

    func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        if transport == nil { return }
        flush()
        deliver()
        passInputEnd()
        reportHeldBytes()
        if isHeldBack, !isFull(above: Self.requestMarkBytes / 2), closing == nil {
            isHeldBack = false
            rpc.writabilityChanged(self, isWritable: true)
        }
        keepalive?.expect(hasCalls: streams.count > 0)
    }

    /// Passes new frames to the RPC side.
    func deliver() {
        if !hasNewInput || !isReady || transport == nil { return }
        hasNewInput = false
        var buffer = ByteBuffer()
        swap(&buffer, &input)
        rpc.received(self, &buffer)
        // What the RPC side has sent meanwhile may have let more pass.
        if !input.isEmpty {
            input.withBytes { buffer.append($0) }
            input.removeAll()
        }
        if buffer.isEmpty, buffer.capacityBytes > 64 << 10 { buffer.shrink() }
        swap(&buffer, &input)
    }

    private func flush() {
        guard let session, let transport else { return }
        // The server may have closed its socket, and would answer by a reset. After its GOAWAY nothing
        // is sent without streams in any case.
        if isInputEnded, hasOnlyWholeResponses { return }
        while session.wantsSend, transport.isWritable {
            var found: HTTP2Error?
            // Forgets what is known to have been sent.
            _ = sentMarks.sent(below: transport.sentBytes)
            sentMarks.flushing()
            transport.send { output in
                let before = output.readableBytes
                do throws(HTTP2Error) {
                    try session.send(into: &output, atMost: 64 << 10)
                } catch { found = error }
                sentMarks.flushed(output.readableBytes - before)
            }
            if let found { fail(found) }
        }
        if let failure {
            return transport.close(.afterFlush, reason: .rejected(failure))
        }
        guard !session.wantsSend else { return }
        if let closing, session.openStreams == 0 || isInputEnded {
            transport.close(.afterFlush, reason: closing)
        } else if session.isOver, !hasOnlyWholeResponses {
            transport.close(.afterFlush, reason: .peerFinished)
        }
    }

    func reportHeldBytes() {
        transport?.handlerBytes = handlerBytes + streamBytes + input.readableBytes
    }

    func keepaliveDue() {
        switch keepalive?.due(hasCalls: streams.count > 0) {
        case .ping?:
            session?.ping(0)
            enrol()
        case .close?: transport?.close(.now, reason: .peerSilent)
        case .nothing?, nil: break
        }
    }
}
