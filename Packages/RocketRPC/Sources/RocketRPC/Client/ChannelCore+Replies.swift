import RocketBalancing
import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

// Replies, and the calls that are sent again.

extension ChannelCore {
    // MARK: Replies

    /// Ends the call that a frame answers. A late, duplicate or unknown reply is counted and
    /// dropped.
    func received(_ frame: TinyPBFrame, _ bytes: RawSpan, on connection: ClientConnection) {
        let id = bytes.extracting(frame.messageID)
        let hash = unsafe ids.hash(of: id)
        let code = RPCErrorCode(rawValue: frame.errorCode)
        guard
            let slot = unsafe pending.find(id, hash, sentOn: connection.number)
                ?? slotOfOther(id, hash, on: connection)
        else { return unmatched(frame, bytes, hash, connection) }
        if code.rawValue != 0, otherAnswers(slot, code, after: connection) { return }
        if code == .unavailable, sendsAgain(slot, after: connection) { return }
        if code == .peerClosed, sendsAgain(slot, lostBy: connection) { return }
        attemptEnded(slot, on: connection, CallOutcome(code))
        guard let call = unsafe pending.remove(slot) else { return }
        updateCallsInFlight()
        unsafe completed.record(hash, .replied)
        if code != .unavailable { connection.hasWorked = true }
        if call.hedge >= 0 {
            hedgedCallEnded(call, by: connection, succeeded: code.rawValue == 0)
        }
        callEnded(on: connection)
        let info = bytes.extracting(frame.errorInfo)
        if code.rawValue == 0 {
            if info.byteCount > 0 { connection.exchange.observe(info) }
            call.succeed(bytes.extracting(frame.payload), info: info)
        } else {
            failed(call, code, String(decodingUTF8: info), bytes.extracting(frame.payload))
        }
    }

    /// Handles a frame that answers no call: of the server itself, or a late reply.
    private func unmatched(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ hash: UInt64, _ connection: ClientConnection
    ) {
        let id = bytes.extracting(frame.messageID)
        if frame.errorCode == 0, id.byteCount == 0,
            GoAwayFrame.isGoAway(bytes.extracting(frame.methodName))
        {
            return goingAway(connection)
        }
        // The limit is announced in one reply only, which may come too late for its call.
        let info = bytes.extracting(frame.errorInfo)
        if frame.errorCode == 0 { connection.exchange.observe(info) }
        let code = RPCErrorCode(rawValue: frame.errorCode)
        if connection.exchange.answersProbe(
            id, frame.errorCode == 0 ? nil : RPCError(code, String(decodingUTF8: info)))
        {
            if code != .unavailable { connection.hasWorked = true }
            return
        }
        drop(hash)
    }

    /// Fails the call that an oversized frame answers. It is not sent again: the reply would be the
    /// same.
    func receivedOversized(
        _ id: RawSpan, _ byteCount: Int, on connection: ClientConnection
    ) {
        let hash = unsafe ids.hash(of: id)
        let error = tooLarge(byteCount, connection.codec)
        guard
            let slot = unsafe pending.find(id, hash, sentOn: connection.number)
                ?? slotOfOther(id, hash, on: connection)
        else {
            if !connection.exchange.answersProbe(id, error) { drop(hash) }
            return
        }
        attemptEnded(slot, on: connection, .success)
        guard let call = unsafe pending.remove(slot) else { return }
        updateCallsInFlight()
        unsafe completed.record(hash, .replied)
        connection.hasWorked = true
        if call.hedge >= 0 { hedgedCallEnded(call, by: connection) }
        callEnded(on: connection)
        call.fail(error)
    }

    func tooLarge(_ byteCount: Int, _ codec: TinyPBCodec) -> RPCError {
        RPCError(
            .resourceExhausted,
            "the reply is too large: \(byteCount) bytes; the limit is "
                + "\(codec.maxFrameBytes) (max_frame_bytes)")
    }

    private func drop(_ hash: UInt64) {
        let text = context.counters.countDropped(unsafe completed.ending(of: hash))
        context.logger.debug("\(text)") { $0.add("target", context.target) }
    }

    // MARK: Sending again

    /// Sends a call again that the server answered with UNAVAILABLE, so did not begin, where its
    /// deadline allows that: the first time in the next tick, when a draining connection has been
    /// replaced, and after a back-off from then on.
    private func sendsAgain(_ slot: Int, after connection: ClientConnection) -> Bool {
        var random = reactor.random
        guard let entry = unsafe pending[slot], entry.call.stream?.canRestart ?? true,
            let duration = retryPolicy(of: entry.call).delay(
                afterAttempts: entry.attempts, using: &random)
        else { return false }
        let time = reactor.now + duration
        if let deadline = unsafe entry.call.parameters.deadline, deadline <= time { return false }
        // What a server that goes away has not begun is no retry.
        if !connection.isGoingAway, !isWithinRetryBudget() { return false }
        attemptEnded(slot, on: connection, .refused)
        unsafe pending.move(slot, to: .backingOff)
        entry.call.stream?.leaveConnection()
        retries.append(entry.call.id, after: duration)
        context.counters.retries.increment()
        callEnded(on: connection)
        if connection.endpoint.shouldReplace(connection, now: reactor.now) { retire(connection) }
        return true
    }

    /// Sends an idempotent call again that the server answered with ERROR_PEER_CLOSED: it ends the
    /// connection without waiting for the call, as if that was lost.
    private func sendsAgain(_ slot: Int, lostBy connection: ClientConnection) -> Bool {
        guard let entry = unsafe pending[slot], unsafe entry.call.parameters.isIdempotent,
            entry.call.stream?.canRestart ?? true,
            entry.attempts < maxAttempts(of: entry.call),
            entry.attempts == 1 || isWithinRetryBudget()
        else { return false }
        attemptEnded(slot, on: connection, .refused)
        retire(connection)
        entry.call.stream?.leaveConnection()
        sendAgainLater(slot, entry)
        callEnded(on: connection)
        return true
    }

    func backOffEnded(_ id: CallID) {
        guard let slot = unsafe pending.find(id), let entry = unsafe pending[slot],
            entry.stage == .backingOff
        else { return }
        unsafe pending.move(slot, to: .waiting)
        resend(slot, entry)
    }

    private func resend(_ slot: Int, _ entry: PendingCalls<OutgoingCall>.Entry) {
        countAttempts(of: entry)
        if entry.call.hedge >= 0 { unsafe hedged.sentAgain(entry.call.hedge) }
        sendOrQueue(slot, entry.call, avoiding: entry.lastConnection)
    }

    /// Tells the server how often a call was sent before, where the wire has a key for that.
    func countAttempts(of entry: PendingCalls<OutgoingCall>.Entry) {
        if let key = unsafe endpoints.list.first?.connector.attemptsKey {
            unsafe entry.call.parameters.countAttempts(entry.attempts, in: key)
        }
    }

    /// Sends a call again whose connection has ended, or ends it. Each call waits for a random time:
    /// otherwise all calls of all clients would meet a server that has just started.
    ///
    /// - Parameter isUnseen: whether the server can't have received the whole request.
    func lost(_ slot: Int, isUnseen: Bool, _ error: RPCError) {
        guard let entry = unsafe pending[slot] else { return }
        guard unsafe isUnseen || entry.call.parameters.isIdempotent,
            entry.call.stream?.canRestart ?? true,
            entry.attempts < maxAttempts(of: entry.call),
            // Its server is gone: once, that moves the load, and does not multiply it.
            isUnseen || entry.attempts == 1 || isWithinRetryBudget()
        else { return fail(slot, error) }
        sendAgainLater(slot, entry)
    }

    private func sendAgainLater(_ slot: Int, _ entry: PendingCalls<OutgoingCall>.Entry) {
        context.counters.retries.increment()
        var random = reactor.random
        let duration = settings.configuration.retry.jitter(
            afterAttempts: entry.attempts, using: &random)
        if let deadline = unsafe entry.call.parameters.deadline, deadline <= reactor.now + duration
        {
            unsafe pending.move(slot, to: .waiting)
            return resend(slot, entry)
        }
        unsafe pending.move(slot, to: .backingOff)
        retries.append(entry.call.id, after: duration)
    }
}

extension CallParameters {
    /// Says how often the call was sent before, unless the metadata has no room for it.
    fileprivate mutating func countAttempts(_ attempts: Int, in key: String) {
        var counted = metadata
        counted[key] = "\(attempts)"
        var block = ByteBuffer()
        do {
            try MetadataBlock.write(
                counted, timeoutMilliseconds: .max, to: &block,
                limitBytes: MetadataBlock.announcedLimitBytes)
        } catch { return }
        metadata = counted
    }
}
