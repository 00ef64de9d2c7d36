public import RocketBase
public import RocketReactor
public import RocketSystem

extension TCPConnection: IOHandler {
    /// Reads once, then sends if there is room for what did not fit before. Called by the reactor.
    public func ready(_ events: IOEvents, on reactor: Reactor) {
        if !events.isDisjoint(with: [.readable, .hangup, .error]) {
            if needsRedelivery {
                // What was left is delivered first, at the end of this tick; the poller reports
                // readiness again.
            } else if wantsRead {
                readOnce()
            } else if !events.isDisjoint(with: [.hangup, .error]) {
                hungUpWhilePaused()
            }
        }
        if events.contains(.writable), waitsForRoom { flush() }
    }

    /// Closes the connection: no event would come any more. Called by the reactor.
    public func registrationFailed(_ error: SystemError, on reactor: Reactor) {
        registration = nil
        perform(machine.handle(.failed(.failed(error))))
    }
}

extension TCPConnection {
    /// Stops reading, so that the peer fills the kernel's buffers and has to wait. Nothing more is
    /// delivered until `resumeReading`.
    public func pauseReading() {
        isReadingPaused = true
        updateInterest()
    }

    /// Resumes reading. What the handler left is delivered again at the end of this tick.
    public func resumeReading() {
        if !isReadingPaused { return }
        isReadingPaused = false
        if machine.isClosed || machine.isConnecting { return }
        if registration == nil {
            do {
                try register()
            } catch {
                return perform(machine.handle(.failed(.failed(error))))
            }
        }
        redeliverLater()
        updateInterest()
        deliveryResumed()
    }

    /// Takes from what the handler left in `received`, later on: for handlers that only record the
    /// input there and process it afterwards. Not from inside `received`, nor from inside itself.
    ///
    /// Writing and closing inside are allowed; after a close the bytes stay until the closure ends.
    @inlinable
    public func withInput<Result, E: Error>(
        _ body: (inout ByteBuffer) throws(E) -> Result
    ) throws(E) -> Result {
        let before = beginInputUse()
        defer { endInputUse(before) }
        return try unsafe body(&input)
    }

    @usableFromInline
    func beginInputUse() -> Int {
        precondition(!isInputInUse, "TCPConnection: withInput inside withInput")
        isInputInUse = true
        return unsafe input.readableBytes
    }

    /// The limiter is updated when the buffer is empty, not after each part.
    @usableFromInline
    func endInputUse(_ before: Int) {
        isInputInUse = false
        if machine.isClosed { return releaseInput() }
        let left = unsafe input.readableBytes
        if left == before { return }
        deadlines.delivered(leftover: left > 0, consumed: true, at: reactor.now)
        if left > 0 { return }
        unsafe loopConnections.keep(&input)
        _ = recordHeldBytes()
    }

    /// Whether the socket is read when it is readable.
    var wantsRead: Bool {
        if machine.isClosed || machine.peerFinished || security?.isAway == true { return false }
        // While closing, input is read to find the end behind it.
        return !machine.delivers || !isDeliveryHeld
    }

    /// Whether input is not delivered now. A mark that was passed within this tick does not count
    /// yet: the flush decides whether the peer reads too slowly.
    var isDeliveryHeld: Bool {
        isReadingPaused || (waterMark == .above && !group.configuration.readsAboveHighWater)
    }

    func updateInterest() {
        guard let registration else { return }
        var interest: IOInterest = []
        if wantsRead { interest.insert(.read) }
        if waitsForRoom { interest.insert(.write) }
        registration.setInterest(interest)
    }

    /// Reads once and delivers once: into the loop's buffer, or behind what was left before.
    private func readOnce() {
        if let security { return readOnce(security) }
        var buffer = ByteBuffer()
        let hadLeftovers = (unsafe !input.isEmpty)
        if hadLeftovers {
            unsafe swap(&buffer, &input)
            readInto(&buffer, &readSize)
        } else {
            unsafe swap(&buffer, &loopConnections.readBuffer)
            if buffer.capacityBytes == 0 { unsafe loopConnections.pool.take(into: &buffer) }
            unsafe readInto(&buffer, &loopConnections.readSize)
        }
        if hadLeftovers { giveBack(&buffer) } else { keepLeftovers(of: &buffer) }
        inputChanged()
    }

    private func readInto(_ buffer: inout ByteBuffer, _ size: inout AdaptiveReadSize) {
        let before = buffer.readableBytes
        if receive(into: &buffer, &size) {
            deliver(&buffer, arrived: buffer.readableBytes - before)
        }
    }

    /// Appends what one system call reads. Returns false where nothing was read; the end of the
    /// stream and errors have been handled then.
    func receive(into buffer: inout ByteBuffer, _ size: inout AdaptiveReadSize) -> Bool {
        do {
            let wanted = Int(size.bytes)
            guard
                case .done(let count)? = try unsafe socket?.receive(
                    into: &buffer, minimum: wanted)
            else { return false }
            // What was left stays: a handler may still be using it.
            if count == 0 {
                // Not before the end of a handshake: a security ends it without its peer.
                let isEarly = machine.isConnecting
                perform(machine.handle(isEarly ? .failed(.peerFinished) : .peerFinished))
                return false
            }
            size.record(count: count, room: wanted)
            receivedTotal &+= UInt64(count)
        } catch {
            perform(machine.handle(.failed(CloseReason(error))))
            return false
        }
        deadlines.received(at: reactor.now)
        return true
    }

    /// Passes bytes to the handler, or drops them once the handler is closing.
    func deliver(_ buffer: inout ByteBuffer, arrived: Int) {
        guard machine.wantsInput else { return buffer.removeAll() }
        let before = buffer.readableBytes
        handler?.received(self, &buffer)
        guard machine.wantsInput else { return buffer.removeAll() }
        if buffer.isEmpty, before == arrived { return }
        deadlines.delivered(
            leftover: !buffer.isEmpty, consumed: buffer.readableBytes < before, at: reactor.now)
        if !buffer.isEmpty {
            loopConnections.expect(reactor.now.later(by: group.limits.partialInput))
        }
    }

    /// Gives the loop's buffer back, after moving what the handler left to the connection's own.
    private func keepLeftovers(of buffer: inout ByteBuffer) {
        moveLeftovers(of: &buffer)
        if buffer.capacityBytes > 2 * Int(unsafe loopConnections.readSize.bytes) {
            // While much is read, the next read needs as much memory: none of it is new.
            if unsafe loopConnections.readSize.isLargest {
                loopConnections.keep(&buffer)
            } else {
                buffer.shrink()
            }
        }
        unsafe swap(&buffer, &loopConnections.readBuffer)
    }

    /// Moves what the handler left to the connection's own buffer, which is empty.
    func moveLeftovers(of buffer: inout ByteBuffer) {
        if buffer.isEmpty { return }
        // Only a buffer that is filled well: the memory behind the bytes would be held, too. A
        // quarter is what `trim` leaves.
        if buffer.readableBytes > BufferPool.keepBytes / 4,
            4 * buffer.readableBytes >= buffer.capacityBytes
        {
            unsafe swap(&input, &buffer)
        } else {
            // A few bytes may stay for long: a large buffer would be held, and missing elsewhere.
            if buffer.readableBytes > BufferPool.keepBytes / 4 {
                unsafe loopConnections.pool.take(into: &input)
            } else {
                unsafe loopConnections.pool.takeSmall(into: &input)
            }
            // SAFETY: two buffers, each with memory of its own.
            unsafe buffer.withUnsafeBytes { unsafe input.append($0) }
            buffer.removeAll()
        }
    }

    /// Puts the connection's own buffer back, or gives it to the pool when it is empty.
    func giveBack(_ buffer: inout ByteBuffer) {
        if buffer.isEmpty {
            loopConnections.keep(&buffer)
        } else {
            unsafe swap(&buffer, &input)
        }
    }

    func inputChanged() {
        if machine.isClosed { return releaseInput() }
        // What was written meanwhile is recorded if the flush leaves it.
        if recordedBytes == 0, unsafe input.isEmpty { return }
        let limit = group.configuration.inputLimitBytes
        if (unsafe input.readableBytes) > limit {
            perform(machine.handle(.failed(.inputLimit(bytes: (unsafe input.readableBytes)))))
        } else {
            _ = recordHeldBytes()
        }
    }

    func releaseInput() {
        if isInputInUse { return }
        unsafe input.removeAll()
        unsafe loopConnections.keep(&input)
    }

    // MARK: Held back

    /// Restarts the time limit on the rest of a unit: the delay until now was ours, not the peer's.
    func deliveryResumed() {
        deadlines.deliveryResumed(at: reactor.now)
        expectDeadline()
    }

    func redeliverLater() {
        if (unsafe input.isEmpty), !hasUnreportedEnd { return }
        needsRedelivery = true
        requestTickEnd()
    }

    /// Delivers what was left once more, without reading.
    func redeliver() {
        needsRedelivery = false
        if isDeliveryHeld { return }
        if (unsafe !input.isEmpty) {
            var buffer = ByteBuffer()
            unsafe swap(&buffer, &input)
            deliver(&buffer, arrived: 0)
            giveBack(&buffer)
            inputChanged()
        }
        reportEnd()
    }

    /// Handles a hang-up while reading is paused. epoll reports it whatever the interest is, and
    /// again in each tick.
    private func hungUpWhilePaused() {
        if let error = unsafe socket?.socket.socketError() {
            perform(machine.handle(.failed(CloseReason(SystemError("recv", error)))))
        } else if machine.peerFinished {
            perform(machine.handle(.failed(.peerReset)))
        } else {
            // Both directions have ended, but the kernel may hold bytes for the handler.
            registration?.cancel()
            registration = nil
        }
    }
}
