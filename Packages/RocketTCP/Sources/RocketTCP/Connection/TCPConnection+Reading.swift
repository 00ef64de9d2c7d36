import RocketBase
public import RocketReactor
import RocketSystem

extension TCPConnection: IOHandler {
    /// Reads once, then sends if there is room for what did not fit before.
    public func ready(_ events: IOEvents, on reactor: Reactor) {
        if !events.isDisjoint(with: [.readable, .hangup, .error]) {
            if needsRedelivery {
                // What was left comes first, at this tick's end; the poller tells again.
            } else if wantsRead {
                readOnce()
            } else if !events.isDisjoint(with: [.hangup, .error]) {
                hungUpWhilePaused()
            }
        }
        if events.contains(.writable), waitsForRoom { flush() }
    }
}

extension TCPConnection {
    /// Stops reading: the peer is held up by the kernel's buffers. No more is handed over until
    /// `resumeReading`.
    public func pauseReading() {
        isReadingPaused = true
        updateInterest()
    }

    /// Reads again; what was left is handed over at the end of this tick.
    public func resumeReading() {
        if !isReadingPaused { return }
        isReadingPaused = false
        if machine.isClosed || machine.isConnecting { return }
        if registration == nil { register() }
        redeliverLater()
        updateInterest()
    }

    var wantsRead: Bool {
        if machine.isClosed || machine.peerFinished { return false }
        // While closing, what arrives is read to find the end behind it.
        return !machine.delivers || !isHeldUp
    }

    /// What arrives is not handed over now. A mark that was passed within this tick is no reason
    /// yet: the flush decides whether the peer reads too slowly.
    private var isHeldUp: Bool {
        isReadingPaused || (waterMark == .above && !owner.configuration.readsAboveHighWater)
    }

    func updateInterest() {
        guard let registration else { return }
        var interest: IOInterest = []
        if wantsRead { interest.insert(.read) }
        if waitsForRoom { interest.insert(.write) }
        registration.setInterest(interest)
    }

    /// One read and one delivery: into the loop's buffer, or behind what was left before.
    private func readOnce() {
        var buffer = ByteBuffer()
        let hadLeftovers = (unsafe !input.isEmpty)
        if hadLeftovers {
            unsafe swap(&buffer, &input)
            readInto(&buffer, &readSize)
        } else {
            unsafe swap(&buffer, &resources.readBuffer)
            if buffer.capacityBytes == 0 { unsafe resources.pool.take(into: &buffer) }
            unsafe readInto(&buffer, &resources.readSize)
        }
        if hadLeftovers { giveBack(&buffer) } else { keepLeftovers(of: &buffer) }
        inputChanged()
    }

    private func readInto(_ buffer: inout ByteBuffer, _ size: inout AdaptiveReadSize) {
        let before = buffer.readableBytes
        do {
            let wanted = Int(size.bytes)
            guard
                case .done(let count)? = try unsafe transport?.receive(
                    into: &buffer, minimum: wanted)
            else { return }
            if count == 0 { return endOfInput() }
            size.record(count: count, room: wanted)
        } catch {
            return perform(machine.handle(.failed(CloseReason(error))))
        }
        clock.received(at: reactor.now)
        deliver(&buffer, arrived: buffer.readableBytes - before)
    }

    /// Hands bytes to the handler, or drops them where they matter no more.
    private func deliver(_ buffer: inout ByteBuffer, arrived: Int) {
        guard machine.wantsInput else { return buffer.removeAll() }
        let before = buffer.readableBytes
        handler?.received(self, &buffer)
        guard machine.wantsInput else { return buffer.removeAll() }
        if buffer.isEmpty, before == arrived { return }
        clock.delivered(
            leftover: !buffer.isEmpty, consumed: buffer.readableBytes < before, at: reactor.now)
        if !buffer.isEmpty {
            resources.expect(reactor.now.later(by: owner.limits.partialInput))
        }
    }

    private func endOfInput() {
        // What was left stays: a handler may still be at it.
        perform(machine.handle(.peerFinished))
    }

    /// The loop's buffer goes back; what the handler left moves here.
    private func keepLeftovers(of buffer: inout ByteBuffer) {
        if !buffer.isEmpty {
            if buffer.readableBytes > BufferPool.keepBytes / 4 {
                unsafe swap(&input, &buffer)
            } else {
                unsafe resources.pool.take(into: &input)
                // SAFETY: two buffers, each with memory of its own.
                unsafe buffer.withUnsafeBytes { unsafe input.append($0) }
                buffer.removeAll()
            }
        }
        if buffer.capacityBytes > 2 * Int(unsafe resources.readSize.bytes) { buffer.shrink() }
        unsafe swap(&buffer, &resources.readBuffer)
    }

    /// The connection's own buffer goes back to it, or to the pool when it is empty.
    private func giveBack(_ buffer: inout ByteBuffer) {
        if buffer.isEmpty {
            unsafe resources.pool.give(from: &buffer)
        } else {
            unsafe swap(&buffer, &input)
        }
    }

    private func inputChanged() {
        if machine.isClosed { return releaseInput() }
        // What was written meanwhile is counted if it is still there after the flush.
        if accounted == 0, unsafe input.isEmpty { return }
        let limit = owner.configuration.inputLimitBytes
        if (unsafe input.readableBytes) > limit {
            perform(machine.handle(.failed(.inputLimit(bytes: (unsafe input.readableBytes)))))
        } else {
            _ = account()
        }
    }

    func releaseInput() {
        if isInputLent { return }
        unsafe input.removeAll()
        unsafe resources.pool.give(from: &input)
    }

    // MARK: Held back

    func redeliverLater() {
        if (unsafe input.isEmpty) { return }
        needsRedelivery = true
        enrol()
    }

    /// Once more with what was left, without reading.
    func redeliver() {
        needsRedelivery = false
        if (unsafe input.isEmpty) || isHeldUp { return }
        var buffer = ByteBuffer()
        unsafe swap(&buffer, &input)
        deliver(&buffer, arrived: 0)
        giveBack(&buffer)
        inputChanged()
    }

    /// epoll tells of hang-ups even to those who don't ask, and again in each tick.
    private func hungUpWhilePaused() {
        if let error = unsafe transport?.descriptor.socketError() {
            perform(machine.handle(.failed(CloseReason(SystemError("recv", error)))))
        } else if machine.peerFinished {
            perform(machine.handle(.failed(.peerReset)))
        } else {
            // Both directions have ended, but there may be bytes that the handler wants later.
            registration?.cancel()
            registration = nil
        }
    }
}
