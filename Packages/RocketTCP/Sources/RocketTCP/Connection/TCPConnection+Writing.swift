public import RocketBase
public import RocketReactor
import RocketSystem

extension TCPConnection {
    /// Appends, in place, to what is sent at the end of this tick. On a connection that accepts no
    /// more output the closure writes into a buffer that is dropped.
    ///
    /// The closure only appends: it uses neither this connection nor the bytes before its own.
    /// The limits hold after each write: a write that exceeds one closes the connection at once.
    @inlinable
    public func write<Result, E: Error>(_ body: (inout ByteBuffer) throws(E) -> Result)
        throws(E) -> Result
    {
        if unsafe isWritePrepared || prepareWrite() {
            defer { if unsafe output.own.readableBytes > nextCheckBytes { checkLimits() } }
            return try unsafe body(&output.own)
        }
        var dropped = ByteBuffer()
        return try body(&dropped)
    }

    /// Queues bytes that several connections share, without a copy.
    public func write(shared segment: SharedBytes) { insert(segment, before: 0) }

    /// Whether `insert` saves a copy. With a security it would not: records are made of copies.
    @_spi(Transport) public var sendsInPlace: Bool { security == nil }

    /// Queues bytes that are sent from where they are, in front of the last `tail` bytes that were
    /// written in this tick, and behind all shared bytes. The limits hold as for a write.
    @_spi(Transport) public func insert(_ segment: any OutputSegment, before tail: Int) {
        guard unsafe isWritePrepared || prepareWrite() else { return }
        if unsafe output.isEmpty { unsafe nextCheckBytes = group.firstCheckBytes }
        unsafe output.append(segment, before: tail)
        // Shared bytes count against the distance to the next check as own ones do.
        unsafe nextCheckBytes -= segment.count
        if unsafe output.own.readableBytes > nextCheckBytes { checkLimits() }
    }

    /// Ends our stream after the remaining output has been sent; reading goes on. Without effect
    /// once closing.
    public func finishWriting() {
        unsafe isWritePrepared = false
        perform(machine.handle(.finishWriting))
    }

    @usableFromInline
    func prepareWrite() -> Bool {
        guard machine.acceptsOutput else { return false }
        if unsafe output.own.capacityBytes == 0 {
            unsafe loopConnections.pool.take(into: &output.own)
        }
        unsafe isWritePrepared = true
        requestTickEnd()
        return true
    }

    /// Has `tickEnding` called at the end of this tick.
    func requestTickEnd() {
        if awaitsTickEnd { return }
        awaitsTickEnd = true
        reactor.observeTickEnd(self)
    }

    /// Sends the whole output by one system call; by more only where there are more slices than
    /// one takes.
    func flush() {
        if let security { return flush(security) }
        if unsafe socket == nil || machine.isConnecting { return }
        let waited = waitsForRoom
        waitsForRoom = false
        while unsafe !output.isEmpty {
            let isLast = unsafe output.sliceCountBound <= OutputQueue.sliceLimit
            guard let sent = sendOnce() else { return }
            if unsafe output.isEmpty { break }
            if isLast || sent == 0 {
                waitsForRoom = true
                if !waited { beganToWait() }
                break
            }
        }
        if unsafe output.isEmpty {
            unsafe loopConnections.keep(&output.own)
            // The path of nearly every flush: nothing waits, nothing changed.
            if !waited, recordedBytes == 0, waterMark == .below, !machine.outputEnded { return }
        }
        flushEnded()
    }

    func beganToWait() {
        deadlines.outputBeganToWait(at: reactor.now)
        expectDeadline()
    }

    /// Returns the bytes sent, 0 when the kernel's buffer is full, nil when the connection ended.
    private func sendOnce() -> Int? {
        do {
            switch try unsafe socket?.send(unsafe output) {
            case .done(let count):
                unsafe output.sent(count)
                sentTotal &+= UInt64(count)
                deadlines.sent(at: reactor.now)
                if !awaitsAnswers { expectAnswers() }
                return count
            case .wouldBlock, nil: return 0
            }
        } catch {
            perform(machine.handle(.failed(CloseReason(error))))
            return nil
        }
    }

    /// Completes a flush. Called in its place while the kernel's buffer is full.
    func flushEnded() {
        // Before the limits: from below the mark, the next check must come no later than at it.
        let wasAbove = waterMark == .above
        // In a copy: a property that is never changed in place needs no exclusivity check when it
        // is read for each write.
        var mark = waterMark
        let isWritable = mark.flushed(
            waiting: waitingBytes, lowMark: group.lowMarkBytes)
        waterMark = mark
        guard checkLimits() else { return }
        if machine.outputEnded, waitingBytes == 0 {
            let lingering = deadlines.mayBeReading(group.limits, at: reactor.now)
            perform(machine.handle(.flushed(lingering: lingering)))
        }
        if let isWritable { writabilityChanged(isWritable, wasAbove) }
        updateInterest()
    }

    /// Checks the limits after each flush, and within a tick each time that the output has grown by
    /// a step or passes its high water mark or its limit. Returns false when a limit on buffered
    /// bytes closed the connection.
    @usableFromInline @discardableResult
    func checkLimits() -> Bool {
        if machine.isClosed { return false }
        let waiting = waitingBytes
        let left = group.configuration.outputLimitBytes - waiting
        if left < 0 {
            perform(machine.handle(.failed(.outputLimit(bytes: waiting))))
            return false
        }
        var distance = min(ConnectionGroup.checkStepBytes, left)
        if waterMark == .below {
            let leftBelow = group.highMarkBytes - waiting
            if leftBelow < 0 { waterMark = .passed } else { distance = min(distance, leftBelow) }
        }
        unsafe nextCheckBytes = output.own.readableBytes + distance
        return recordHeldBytes()
    }

    /// Records with the server's limiter what the connection holds. Returns false when the server's
    /// limit closed the connection.
    func recordHeldBytes() -> Bool {
        let now = heldOutputBytes + (unsafe input.capacityBytes)
        if now == recordedBytes { return true }
        let delta = now - recordedBytes
        recordedBytes = now
        guard let limiter = group.limiter, !limiter.recordBytes(delta) else { return true }
        loopConnections.relieve(limiter.budget)
        return !machine.isClosed
    }

    /// Notifies the handler. Input that it left because the connection was not writable is
    /// delivered again.
    private func writabilityChanged(_ isWritable: Bool, _ wasAbove: Bool) {
        if isWritable { redeliverLater() }
        if isWritable, wasAbove { deliveryResumed() }
        guard machine.acceptsOutput else { return }
        handler?.writabilityChanged(self, isWritable: isWritable)
    }
}

extension TCPConnection: TickEndHandler {
    /// Delivers what was held back, sends what was queued, and notifies the handler of the end.
    /// Called by the reactor.
    public func tickEnding(on reactor: Reactor) {
        if needsRedelivery { redeliver() }
        awaitsTickEnd = false
        unsafe isWritePrepared = false
        if machine.isClosed {
            notifyClosed()
        } else if waitsForRoom {
            flushEnded()
        } else {
            flush()
        }
    }
}
