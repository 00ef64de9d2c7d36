public import RocketReactor
public import RocketSystem

extension TCPConnection {
    /// How a connection is closed.
    public enum Closing: Sendable {
        /// What waits is sent first. The peer gets `closeTimeout` to take it, and `lingerTimeout`
        /// to end its side.
        case afterFlush
        /// At once. What waits is lost.
        case now
        /// At once, and over TCP the peer is told by a reset instead of an ordinary end: it need
        /// not finish anything for us. Bytes that the kernel still holds are lost too.
        case reset
    }

    /// Closes. The handler hears `closed` at the end of the tick in which it is over, and nothing
    /// else from now on. Again: only `.now` or `.reset` after `.afterFlush` has an
    /// effect.
    public func close(_ how: Closing = .afterFlush, reason: CloseReason = .requested) {
        switch how {
        case .afterFlush: perform(machine.handle(.closeAfterFlush(reason)))
        case .now: perform(machine.handle(.closeNow(reason)))
        case .reset:
            unsafe transport?.resetOnClose()
            perform(machine.handle(.closeNow(reason)))
        }
    }

    /// Up: registers with the poller and tells the handler.
    func start() {
        resources.add(self)
        register()
        perform(machine.handle(.connected))
        expectDeadline()
    }

    func register() {
        var interest: IOInterest = []
        if wantsRead || machine.isConnecting { interest.insert(.read) }
        if waitsForRoom { interest.insert(.write) }
        do {
            registration = try unsafe transport?.register(interest, handler: self, on: reactor)
        } catch {
            perform(machine.handle(.failed(.failed(error))))
        }
    }

    /// Does what the state machine decided.
    func perform(_ action: ConnectionState.Action) {
        switch action {
        case .nothing: return
        case .tellConnected: handler?.connected(self)
        case .tellInputEnded: handler?.inputEnded(self)
        case .flush: beginEnding()
        case .sendEnd: sendEnd()
        case .close(let reason): return shut(reason)
        }
        updateInterest()
    }

    /// Our stream, or all, ends once what waits was sent.
    private func beginEnding() {
        unsafe isWritePrepared = false
        if machine.closing != nil {
            clock.closeBegan(at: reactor.now)
            expectDeadline()
        }
        enrol()
    }

    private func sendEnd() {
        do {
            try unsafe transport?.sendEnd()
        } catch {
            return perform(machine.handle(.failed(CloseReason(error))))
        }
        // It waits for the peer's end no longer than to its linger timeout.
        expectDeadline()
    }

    /// The socket and all buffers go now, the handler is told at the tick's end.
    private func shut(_ reason: CloseReason) {
        registration?.cancel()
        registration = nil
        unsafe transport = nil
        unsafe isWritePrepared = false
        unsafe output.removeAll()
        releaseInput()
        resources.remove(self)
        if accounted != 0 { _ = owner.ledger?.account(-accounted) }
        accounted = 0
        owner.ledger?.release(peerAddress)
        untoldReason = reason
        enrol()
    }

    func tellClosed() {
        guard let reason = untoldReason else { return }
        untoldReason = nil
        handler?.closed(self, reason: reason)
        handler = nil
    }

    /// The server drains.
    func drain() { if !machine.isClosed { handler?.draining(self) } }

    // MARK: Time limits

    var nextDeadline: ConnectionDeadlines.Deadline? {
        clock.deadline(
            owner.limits,
            ConnectionDeadlines.Circumstances(
                waitsForInput: wantsRead && machine.delivers, hasPendingOutput: waitsForRoom,
                isClosing: machine.closing != nil, endSent: machine.endSent))
    }

    /// The loop's timer has to come no later than this connection's next time limit.
    func expectDeadline() {
        if machine.isClosed { return }
        if let deadline = nextDeadline { resources.expect(deadline.time) }
    }

    func expire(_ reason: CloseReason) { perform(machine.handle(.failed(reason))) }
}

extension TCPConnection {
    /// Makes a connection of a connected stream socket, as one end of a socket pair. The handler
    /// hears `connected` before this returns.
    @discardableResult
    public static func adopt(
        _ descriptor: consuming FileDescriptor, on reactor: Reactor,
        configuration: TCPConnectionConfiguration = TCPConnectionConfiguration(),
        number: UInt64 = 0, handler: any TCPConnectionHandler
    ) -> TCPConnection {
        let peer = NetAddress((try? descriptor.peerAddress()) ?? .unnamed).unmapped
        let connection = TCPConnection(
            descriptor, peer: peer, owner: ConnectionGroup(configuration), handler: handler,
            on: reactor, number: number)
        connection.start()
        return connection
    }
}
