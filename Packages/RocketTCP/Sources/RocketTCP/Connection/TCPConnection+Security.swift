import RocketBase
import RocketReactor
import RocketSystem

// A connection with a security: what is read goes through its session before the handler gets it,
// and what the handler has written before it is sent. The handler is first called when the handshake
// has ended.

extension TCPConnection {
    /// The protocol that both sides have agreed on (ALPN); nil: none, or no security.
    public var negotiatedProtocol: String? { security?.negotiatedProtocol }

    func beginHandshake(_ security: ConnectionSecurity) {
        do throws(TransportSecurityError) {
            try security.begin()
        } catch {
            return fail(security, error)
        }
        expectDeadline()
        _ = recordHeldBytes()
        if !security.output.isEmpty { requestTickEnd() }
    }

    private func handshakeEnded(_ security: ConnectionSecurity) {
        deadlines.handshakeEnded(at: reactor.now)
        let ended = security.handshakeEnded.take()
        perform(machine.handle(.connected))
        ended?(self, nil)
        if machine.isClosed { return }
        expectDeadline()
        // Sends what was written before, and the end behind it.
        requestTickEnd()
        if security.drainsLater { handler?.draining(self) }
    }

    /// Closes the connection, and says why if the session has something to say. In a handshake the
    /// peer gets time to read that: it may have sent more already, which would make a close a reset.
    /// Where nothing is said, the close is a reset, so that a peer without a security reads no
    /// ordinary end.
    private func fail(_ security: ConnectionSecurity, _ error: TransportSecurityError) {
        let reason = CloseReason.insecure(error)
        let isSaid = !security.output.isEmpty
        let isHandshake = machine.isConnecting && machine.closing == nil
        if !isSaid {
            unsafe socket?.resetOnClose()
        } else if !waitsForRoom, case .done(let count)? = unsafe try? socket?.send(security.output)
        {
            // Before anybody is told of the failure, who may close the connection at once.
            security.sent(count)
            deadlines.sent(at: reactor.now)
        }
        if let ended = security.handshakeEnded.take() {
            handler = nil
            ended(self, reason)
        }
        if !isHandshake || !isSaid { return perform(machine.handle(.failed(reason))) }
        security.hasFailed = true
        unsafe output.removeAll()
        perform(machine.handle(.closeAfterFlush(reason)))
        perform(machine.handle(.connected))
    }

    // MARK: Reading

    /// Reads once, into the loop's buffer, and delivers once.
    func readOnce(_ security: ConnectionSecurity) {
        var ciphertext = ByteBuffer()
        unsafe swap(&ciphertext, &loopConnections.readBuffer)
        if ciphertext.capacityBytes == 0 { unsafe loopConnections.pool.take(into: &ciphertext) }
        if unsafe receive(into: &ciphertext, &loopConnections.readSize), !security.hasFailed {
            if machine.isConnecting, let threads = group.handshakes {
                continueHandshake(security, &ciphertext, on: threads)
            } else {
                decrypt(&ciphertext, security)
            }
        }
        ciphertext.removeAll()
        unsafe swap(&ciphertext, &loopConnections.readBuffer)
    }

    /// Decrypts what has arrived, behind what the handler has left, and delivers it.
    private func decrypt(_ ciphertext: inout ByteBuffer, _ security: ConnectionSecurity) {
        var failure: TransportSecurityError?
        takePlaintext(security) { plaintext in
            do throws(TransportSecurityError) {
                try security.receive(&ciphertext, plaintext: &plaintext)
            } catch {
                failure = error
            }
            return failure
        }
    }

    /// Delivers the plaintext that `body` appends to what the handler has left, and does what follows
    /// from the session's new state.
    ///
    /// - Parameter body: returns why the session has failed; nil: it has not.
    private func takePlaintext(
        _ security: ConnectionSecurity,
        _ body: (inout ByteBuffer) -> TransportSecurityError?
    ) {
        var plaintext = ByteBuffer()
        let hadLeftovers = (unsafe !input.isEmpty)
        if hadLeftovers {
            unsafe swap(&plaintext, &input)
        } else {
            unsafe loopConnections.pool.take(into: &plaintext)
        }
        let before = plaintext.readableBytes
        let failure = body(&plaintext)
        let arrived = plaintext.readableBytes - before
        if machine.isConnecting, security.phase != .handshake {
            handshakeEnded(security)
            if arrived > 0 { deadlines.received(at: reactor.now) }
        }
        // Held back by the handler's `connected`: delivered once it resumes reading. Dropped while
        // closing.
        if arrived > 0, !isDeliveryHeld || !machine.wantsInput {
            deliver(&plaintext, arrived: arrived)
        }
        if plaintext.isEmpty, machine.wantsInput {
            let isPartial = security.hasPartialInput
            deadlines.delivered(leftover: isPartial, consumed: arrived > 0, at: reactor.now)
            if isPartial {
                loopConnections.expect(reactor.now.later(by: group.limits.partialInput))
            }
        }
        if hadLeftovers {
            giveBack(&plaintext)
        } else {
            moveLeftovers(of: &plaintext)
            loopConnections.keep(&plaintext)
        }
        inputChanged()
        if machine.isClosed { return }
        if let failure { return fail(security, failure) }
        reportEnd()
        if !security.output.isEmpty, !machine.isClosed { requestTickEnd() }
    }

    /// Whether the peer has said that it sends no more, and the handler does not know yet.
    var hasUnreportedEnd: Bool { security?.phase == .inputEnded && !machine.peerFinished }

    /// Reports the end of the peer's stream, unless the handler holds back what came before.
    func reportEnd() {
        if !hasUnreportedEnd { return }
        let isHeld = machine.wantsInput && isDeliveryHeld && (unsafe !input.isEmpty)
        if !isHeld { perform(machine.handle(.peerFinished)) }
    }

    // MARK: Handshakes on other threads

    private func continueHandshake(
        _ security: ConnectionSecurity, _ ciphertext: inout ByteBuffer, on threads: HandshakeThreads
    ) {
        var arrived = ByteBuffer()
        ciphertext.withBytes { arrived.append($0) }
        guard let step = security.takeStep(&arrived) else { return }
        updateInterest()
        let bound = LoopBound(self, on: reactor)
        threads.run(step, of: peerAddress) { step in
            bound.loop.execute { _ in bound.get().stepEnded(step) }
        }
    }

    private func stepEnded(_ step: HandshakeStep) {
        guard let security, !machine.isClosed else { return }
        security.takeBack(step)
        takePlaintext(security) { plaintext in
            step.plaintext.withBytes { plaintext.append($0) }
            return step.failure
        }
        if machine.isClosed { return }
        if registration != nil { return updateInterest() }
        // The peer has hung up meanwhile, and its last bytes are to be read.
        do { try register() } catch { perform(machine.handle(.failed(.failed(error)))) }
    }

    // MARK: Writing

    /// Encrypts what waits and sends it, each by one call if there is not much.
    func flush(_ security: ConnectionSecurity) {
        if unsafe socket == nil { return }
        let waited = waitsForRoom
        waitsForRoom = false
        if security.output.capacityBytes == 0 {
            unsafe loopConnections.pool.take(into: &security.output)
        }
        while true {
            if !machine.isConnecting, !security.hasFailed {
                do throws(TransportSecurityError) {
                    try unsafe security.encrypt(&output)
                } catch {
                    return fail(security, error)
                }
                if machine.outputEnded, unsafe output.isEmpty { security.finish() }
            }
            if security.output.isEmpty { break }
            guard send(security) else { return }
            if security.output.isEmpty { continue }
            waitsForRoom = true
            if !waited { beganToWait() }
            break
        }
        if security.output.isEmpty {
            loopConnections.keep(&security.output)
        }
        if unsafe output.isEmpty { unsafe loopConnections.keep(&output.own) }
        if machine.isConnecting { updateInterest() } else { flushEnded() }
    }

    /// Sends what the kernel takes. Returns false when the connection ended.
    private func send(_ security: ConnectionSecurity) -> Bool {
        do {
            guard case .done(let count)? = try unsafe socket?.send(security.output) else {
                return true
            }
            security.sent(count)
            deadlines.sent(at: reactor.now)
            if !awaitsAnswers { expectAnswers() }
            return true
        } catch {
            perform(machine.handle(.failed(CloseReason(error))))
            return false
        }
    }
}
