import RocketBalancing
import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

// Hedges: the second attempt of a call, sent to another endpoint while the first one waits. Of both,
// the pending calls know one, `hedged` the other; whatever ends one leaves the other in its place.

extension ChannelCore {
    // MARK: Sending

    /// A call of a method with a policy was sent to one of several endpoints: the first time, its hedge
    /// is scheduled.
    func expectHedge(_ slot: Int, _ call: OutgoingCall) {
        guard call.hedge < 0, let policy = call.policy, policy.isHedged, call.stream == nil,
            unsafe call.parameters.isIdempotent, !settings.rules.isExclusive
        else { return }
        let now = reactor.now
        let remaining = unsafe call.parameters.deadline.map { $0 - now } ?? .seconds(86_400)
        call.hedge = unsafe hedged.insert(
            slot: slot, sentAt: now,
            hedgedAfter: policy.hedgeDelay(remaining: remaining))
        hedgeTimer.expect(unsafe hedged.earliest)
    }

    func sendHedges() {
        while let index = unsafe hedged.popDue(now: reactor.now) { sendHedge(index) }
        hedgeTimer.expect(unsafe hedged.earliest)
    }

    /// Sends a hedge, unless the call is not in flight, or there is no other endpoint for it.
    private func sendHedge(_ index: Int) {
        let slot = unsafe hedged[index].slot
        guard let entry = unsafe pending[slot], case .sent(let number, _) = entry.stage,
            entry.attempts < maxAttempts(of: entry.call)
        else { return }
        let (call, now) = (entry.call, reactor.now)
        if let deadline = unsafe call.parameters.deadline, deadline <= now { return }
        let key = unsafe call.parameters.balancingKey
        guard let connection = unsafe endpoints.other(than: number, key: key, now: now),
            isWithinRetryBudget()
        else { return }
        countAttempts(of: entry)
        guard let end = try? connection.send(call, now: now) else {
            return connection.exchange.dropRefused()
        }
        unsafe pending.countAttempt(of: slot)
        unsafe hedged.began(
            index, HedgedCalls.Attempt(connection: connection.number, end: end, since: now))
        connection.endpoint.callBegan(on: connection)
        unsafe endpoints.balancer.began(connection.endpoint.index)
        context.counters.picks.increment()
        context.counters.hedges.increment()
    }

    // MARK: Replies

    /// The slot of the call whose other attempt a reply answers, which from now on is that of the
    /// pending calls.
    func slotOfOther(_ id: RawSpan, _ hash: UInt64, on connection: ClientConnection) -> Int? {
        guard unsafe hedged.twiceInFlight > 0, let slot = unsafe pending.find(id, hash),
            let entry = unsafe pending[slot], entry.call.hedge >= 0,
            unsafe hedged[entry.call.hedge].other?.connection == connection.number,
            case .sent(let number, let end) = entry.stage
        else { return nil }
        let attempt = HedgedCalls.Attempt(
            connection: number, end: end, since: entry.balancedSince)
        replaceAttempt(slot, entry.call, with: attempt)
        return slot
    }

    /// Puts the other attempt of a call, if any, in the place of that in the pending calls.
    ///
    /// - Parameter attempt: the one that was there; nil: it has ended.
    /// - Returns: false where there is none.
    @discardableResult
    private func replaceAttempt(
        _ slot: Int, _ call: OutgoingCall, with attempt: HedgedCalls.Attempt?
    ) -> Bool {
        guard call.hedge >= 0, let other = unsafe hedged.takeOther(call.hedge) else { return false }
        unsafe pending.replaceAttempt(slot, on: other.connection, end: other.end)
        unsafe pending.balanced(slot, since: other.since)
        unsafe hedged.swapped(call.hedge, with: attempt)
        return true
    }

    /// Whether an error ends only the attempt that it answers, as there is another one: an error of the
    /// server, not of the request.
    func otherAnswers(
        _ slot: Int, _ code: RPCErrorCode, after connection: ClientConnection
    ) -> Bool {
        guard let call = unsafe pending[slot]?.call, call.hedge >= 0,
            unsafe hedged[call.hedge].other != nil
        else { return false }
        let outcome = code == .peerClosed ? .refused : CallOutcome(code)
        guard outcome == .refused || outcome == .failure else { return false }
        attemptEnded(slot, on: connection, outcome)
        replaceAttempt(slot, call, with: nil)
        let isReplaced: Bool
        switch code {
        case .unavailable:
            isReplaced = connection.endpoint.shouldReplace(connection, now: reactor.now)
        case .peerClosed: isReplaced = true
        default:
            connection.hasWorked = true
            isReplaced = false
        }
        callEnded(on: connection)
        if isReplaced { retire(connection) }
        return true
    }

    // MARK: Ends

    /// A call that was removed from the pending calls has ended: so does its entry here, and what is
    /// left of its attempts is cancelled.
    ///
    /// - Parameters:
    ///   - connection: that of its reply; nil: it has none.
    ///   - succeeded: whether the reply is a response.
    func hedgedCallEnded(
        _ call: OutgoingCall, by connection: ClientConnection? = nil, succeeded: Bool = false
    ) {
        let entry = unsafe hedged.remove(call.hedge)
        call.hedge = -1
        if let connection {
            if succeeded {
                let nanoseconds = reactor.now.nanoseconds - entry.sentAt.nanoseconds
                call.policy?.record(nanoseconds: nanoseconds)
            }
            if entry.isHedge { context.counters.hedgesWon.increment() }
            call.controller?.answered(between: connection.peers)
        }
        guard let other = entry.other else { return }
        // Its reply may be on its way.
        unsafe completed.record(call.id.hash, .unanswered)
        guard let loser = unsafe endpoints.find(other.connection) else { return }
        attemptEnded(call, began: other.since, on: loser, .ignored)
        if settings.rules.sendsCancel {
            loser.sendCancel(call.id)
            context.counters.cancelsSent.increment()
        }
        callEnded(on: loser)
        if loser.exchange.hasParked { sendParked(on: loser) }
    }

    /// Ends the other attempts on a connection that has ended.
    func hedgesLost(_ entries: [Int], on connection: ClientConnection) {
        for index in entries {
            guard unsafe hedged[index].other?.connection == connection.number,
                let other = unsafe hedged.takeOther(index),
                let call = unsafe pending[hedged[index].slot]?.call
            else { continue }
            attemptEnded(call, began: other.since, on: connection, .failure)
        }
    }

    /// Whether a call whose connection has ended has another attempt, which takes the place.
    func isLeftToOther(_ slot: Int) -> Bool {
        guard let call = unsafe pending[slot]?.call else { return false }
        return replaceAttempt(slot, call, with: nil)
    }

    /// The ids of the calls that were sent on a connection, which is closed with the channel.
    func idsSent(on number: Int) -> [CallID] {
        let slots = unsafe pending.sent(on: number).map(\.slot)
        let others = unsafe hedged.others(on: number).map { unsafe hedged[$0].slot }
        return (slots + others).map { unsafe pending.id(in: $0) }
    }

    /// Where the first call ends in the output of a connection that waits there for a reply.
    func firstEnd(on number: Int) -> UInt64? {
        let first = unsafe pending.sent(on: number).first?.end
        let others = unsafe hedged.others(on: number).compactMap { unsafe hedged[$0].other?.end }
        return (others + (first.map { [$0] } ?? [])).min()
    }
}
