import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

extension ChannelCore {
    /// Ends the call that a frame answers. A reply to nobody (late, double or unknown) is counted
    /// and dropped.
    func replied(_ frame: TinyPBFrame, _ bytes: RawSpan, on connection: ClientConnection) {
        let id = bytes.extracting(frame.messageID)
        let hash = CallID.hash(of: id)
        let code = RPCErrorCode(rawValue: frame.errorCode)
        guard let slot = unsafe pending.find(id, hash, sentOn: connection.number) else {
            return dropped(hash, connection)
        }
        if code == .unavailable, triesAgain(slot, on: connection) { return }
        guard let call = unsafe pending.remove(slot) else { return }
        counted()
        unsafe recent.note(hash, .replied)
        if code != .unavailable { connection.hasWorked = true }
        carriesOneLess(connection)
        let info = bytes.extracting(frame.errorInfo)
        if code.rawValue == 0 {
            call.succeed(bytes.extracting(frame.payload), info: info)
        } else {
            call.fail(RPCError(code, String(decodingUTF8: info)))
        }
    }

    private func dropped(_ hash: UInt64, _ connection: ClientConnection) {
        let kind: StaticString
        switch unsafe recent.end(of: hash) {
        case .givenUp:
            counters.lateReplies.count()
            kind = "late reply dropped"
        case .replied:
            counters.duplicateReplies.count()
            kind = "duplicate reply dropped"
        case nil:
            counters.unknownReplies.count()
            kind = "reply to nobody dropped"
        }
        logger.debug("\(kind)") { $0.add("target", target) }
    }

    /// A frame broke a rule; the connection ends.
    func refused(_ connection: ClientConnection, _ error: FrameError) {
        logger.error("bad frame, connection closed") {
            $0.add("peer", connection.peers.peerText)
            $0.add("detail", error.description)
        }
    }

    // MARK: Sending again

    /// UNAVAILABLE: the server did not begin the call. It is sent again where the time is enough:
    /// the first time in the next tick, when a connection that drains has been replaced, and after
    /// a rest from then on.
    private func triesAgain(_ slot: Int, on connection: ClientConnection) -> Bool {
        guard let entry = unsafe pending[slot],
            entry.attempts < configuration.retry.maxAttempts
        else { return false }
        let duration = restAfter(entry.attempts)
        if let deadline = unsafe entry.call.terms.deadline, deadline <= reactor.now + duration {
            return false
        }
        rest(slot, for: duration)
        counters.retries.count()
        carriesOneLess(connection)
        retireIfDraining(connection)
        return true
    }

    private func restAfter(_ attempts: Int) -> Duration {
        var backOff = configuration.retry.backOff
        var duration = Duration.zero
        for _ in 1..<max(1, attempts) { duration = backOff.next(using: &random) }
        return duration
    }

    /// A server that drains answers UNAVAILABLE on the connections that it has, and somebody else
    /// may listen in its place already. One that is only overloaded is not connected to more often
    /// than once a second for that.
    private func retireIfDraining(_ connection: ClientConnection) {
        if !connection.hasWorked { return }
        if let last = lastRetirement, reactor.now - last < .seconds(1) { return }
        lastRetirement = reactor.now
        retire(connection)
        if connection.callsInFlight == 0 {
            forget(connection)
            connection.close(.afterFlush)
        }
    }

    /// A connection is over: what it carried is sent again, or ends.
    func ended(_ connection: ClientConnection, _ reason: CloseReason) {
        let wasInPool = connection.place != nil
        if wasInPool { counters.connectionsLost.count() }
        let calls = unsafe pending.sent(on: connection.number)
        let sentBytes = connection.sentBytes
        let place = connection.place
        forget(connection)
        lastFailure = RPCError(.peerClosed, "the connection ended: \(reason)")
        if let place {
            handle(.ended(worked: connection.hasWorked), at: place)
            reconsiderWaiting()
        }
        if calls.isEmpty { return }
        let error = RPCError(
            .failedGetReply, "the connection ended before the reply: \(reason)")
        for (slot, end) in calls { lost(slot, isUnseen: end > sentBytes, error) }
    }

    /// A call's connection is gone.
    ///
    /// - Parameter isUnseen: the server can't have the whole request.
    private func lost(_ slot: Int, isUnseen: Bool, _ error: RPCError) {
        guard let entry = unsafe pending[slot] else { return }
        guard unsafe isUnseen || entry.call.terms.isIdempotent,
            entry.attempts < configuration.retry.maxAttempts
        else {
            unsafe recent.note(entry.call.id.hash, .givenUp)
            return fail(slot, error)
        }
        counters.retries.count()
        unsafe pending.move(slot, to: .waiting)
        dispatch(slot, entry.call)
    }
}
