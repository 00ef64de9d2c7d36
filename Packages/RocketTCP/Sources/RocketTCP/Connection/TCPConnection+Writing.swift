public import RocketBase
public import RocketReactor
import RocketSystem

extension TCPConnection {
    /// Appends to what is sent at the end of this tick, in place. On a connection that takes no
    /// more output the closure writes into nothing.
    ///
    /// The closure only appends: it uses neither this connection nor bytes that were there before.
    /// The limits hold after each write: one that passes them closes the connection at once.
    @inlinable
    public func write<Result, E: Error>(_ body: (inout ByteBuffer) throws(E) -> Result)
        throws(E) -> Result
    {
        if unsafe isWritePrepared || prepareWrite() {
            defer { if unsafe output.own.readableBytes > lookAtBytes { checkLimits() } }
            return try unsafe body(&output.own)
        }
        var nowhere = ByteBuffer()
        return try body(&nowhere)
    }

    /// Queues bytes that several connections share, without a copy.
    public func write(shared segment: SharedBytes) {
        guard unsafe isWritePrepared || prepareWrite() else { return }
        if unsafe output.isEmpty { unsafe lookAtBytes = owner.firstLookBytes }
        unsafe output.append(segment)
        // Shared bytes count against the distance to the next look as own ones do.
        unsafe lookAtBytes -= segment.count
        if unsafe output.own.readableBytes > lookAtBytes { checkLimits() }
    }

    /// Sends what waits, then the end of our stream; reading goes on. Once closing: nothing.
    public func finishWriting() {
        unsafe isWritePrepared = false
        perform(machine.handle(.finishWriting))
    }

    @usableFromInline
    func prepareWrite() -> Bool {
        guard machine.acceptsOutput else { return false }
        if unsafe output.own.capacityBytes == 0 { unsafe resources.pool.take(into: &output.own) }
        unsafe isWritePrepared = true
        enrol()
        return true
    }

    func enrol() {
        if isEnrolled { return }
        isEnrolled = true
        reactor.observeTickEnd(self)
    }

    /// One send of all that waits; more only where there are more pieces than one send takes.
    func flush() {
        if unsafe transport == nil || machine.isConnecting { return }
        let waited = waitsForRoom
        waitsForRoom = false
        while unsafe !output.isEmpty {
            let isLast = unsafe output.piecesAtMost <= OutputQueue.pieceLimit
            guard let sent = sendOnce() else { return }
            if unsafe output.isEmpty { break }
            if isLast || sent == 0 {
                waitsForRoom = true
                if !waited { beganToWait() }
                break
            }
        }
        if unsafe output.isEmpty {
            unsafe resources.pool.give(from: &output.own)
            // The way of nearly every flush: nothing waits, nothing changed.
            if !waited, accounted == 0, waterMark == .below, !machine.outputEnded { return }
        }
        flushEnded()
    }

    private func beganToWait() {
        clock.outputBeganToWait(at: reactor.now)
        expectDeadline()
    }

    /// Bytes sent, 0 when the socket is full, nil when that ended the connection.
    private func sendOnce() -> Int? {
        do {
            switch try unsafe transport?.send(unsafe output) {
            case .done(let count):
                unsafe output.sent(count)
                sentTotal &+= UInt64(count)
                clock.sent(at: reactor.now)
                return count
            case .wouldBlock, nil: return 0
            }
        } catch {
            perform(machine.handle(.failed(CloseReason(error))))
            return nil
        }
    }

    /// After a flush, and in its place while the socket is full.
    private func flushEnded() {
        // Before the limits: from below the mark, the next look has to come no later than at it.
        let isWritable = waterMark.flushed(
            waiting: unsafe output.count, lowMark: owner.lowMarkBytes)
        guard checkLimits() else { return }
        if machine.outputEnded, unsafe output.isEmpty {
            let lingering = clock.mayBeReading(owner.limits, at: reactor.now)
            perform(machine.handle(.flushed(lingering: lingering)))
        }
        if let isWritable { writabilityChanged(isWritable) }
        updateInterest()
    }

    /// After each flush, and within a tick each time that the output has grown by a step, passes
    /// its high water mark or its limit. False when a limit on buffered bytes closed the
    /// connection.
    @usableFromInline @discardableResult
    func checkLimits() -> Bool {
        if machine.isClosed { return false }
        let waiting = unsafe output.count
        let left = owner.configuration.outputLimitBytes - waiting
        if left < 0 {
            perform(machine.handle(.failed(.outputLimit(bytes: waiting))))
            return false
        }
        var distance = min(ConnectionGroup.lookStepBytes, left)
        if waterMark == .below {
            let leftBelow = owner.highMarkBytes - waiting
            if leftBelow < 0 { waterMark = .passed } else { distance = min(distance, leftBelow) }
        }
        unsafe lookAtBytes = output.own.readableBytes + distance
        return account()
    }

    /// Tells the ledger. False when the server's limit closed the connection.
    func account() -> Bool {
        let now = bufferedBytes
        if now == accounted { return true }
        let delta = now - accounted
        accounted = now
        guard let ledger = owner.ledger, !ledger.account(delta) else { return true }
        perform(machine.handle(.failed(.serverBufferLimit)))
        return false
    }

    /// A handler that left input because the connection was not writable gets it again.
    private func writabilityChanged(_ isWritable: Bool) {
        if isWritable { redeliverLater() }
        guard machine.acceptsOutput else { return }
        handler?.writabilityChanged(self, isWritable: isWritable)
    }
}

extension TCPConnection: TickEndHandler {
    /// Hands over what was held back, sends what was queued, tells of the end.
    public func tickEnding(on reactor: Reactor) {
        if needsRedelivery { redeliver() }
        isEnrolled = false
        unsafe isWritePrepared = false
        if machine.isClosed {
            tellClosed()
        } else if waitsForRoom {
            flushEnded()
        } else {
            flush()
        }
    }
}
