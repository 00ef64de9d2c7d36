import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

// What a channel does for its peer beside sending calls: it replaces connections on which the peer
// takes or answers no more calls, and asks how much metadata the peer takes.

extension ChannelCore {
    /// The server drains: new calls use another connection, and this one is closed when its last
    /// reply has arrived.
    func goingAway(_ connection: ClientConnection) {
        connection.hasWorked = true
        context.logger.debug("server going away") { $0.add("peer", connection.peers.peerText) }
        retire(connection)
    }

    /// Replaces a connection on which no byte has arrived since a call was sent whose deadline has
    /// passed: its peer hangs, or is gone without a word.
    ///
    /// - Parameter end: where the call ends in the connection's output.
    func replaceSilent(_ number: Int, since end: UInt64) {
        guard let connection = unsafe connections.find(number), connection.isSilent(since: end),
            unsafe connections.shouldReplaceSilent(connection, now: reactor.now)
        else { return }
        context.logger.warn("no reply, connection replaced") {
            $0.add("target", context.target)
            $0.add("peer", connection.peers.peerText)
        }
        retire(connection)
    }

    // MARK: Peers that take one call at a time

    /// Retires the idle connections on which a call with that id was sent before.
    func replaceUsed(_ id: CallID) {
        while let connection = unsafe connections.next(), connection.hasUsed(id) {
            guard let slot = connection.poolSlot else { return }
            unsafe connections.retire(connection)
            handle(.retired, in: slot)
            unsafe connections.remove(connection)
            connection.close(.now)
        }
    }

    /// The replies that had arrived on a connection have been taken.
    func repliesTaken(on connection: ClientConnection) {
        if connection.exchange.hasParked { sendParked(on: connection) }
        guard context.rules.isExclusive, connection.callsInFlight == 0 else { return }
        if connection.isUsedUp { return retire(connection) }
        becameWritable()
    }

    // MARK: Metadata of more than 511 bytes

    /// A call waits until the peer's limit is known; asks for that, unless it has been asked for.
    func parked(_ slot: Int, on connection: ClientConnection) {
        if unsafe connection.exchange.parkedCount > 2 * pending.waitingCount + 64 {
            connection.exchange.removeParked { unsafe !pending.isWaiting($0) }
        }
        let most = context.configuration.maxCallsWaiting
        if unsafe pending.waitingCount > most, unsafe pending[slot]?.attempts == 0 {
            return fail(
                slot, RPCError(.resourceExhausted, "\(most) calls wait to be sent, the most"))
        }
        if connection.exchange.isProbing { return }
        let timeout = context.configuration.timeout.wholeNanoseconds / 1_000_000
        connection.sendProbe(
            unsafe ids.next(.fresh) { _ in true }, timeoutMilliseconds: Int64(timeout))
    }

    /// Sends the parked calls once the peer's limit is known. It is if the probe is answered, and
    /// all calls before: the peer announces its limit in one of these replies.
    private func sendParked(on connection: ClientConnection) {
        if !connection.exchange.isKnown {
            guard connection.exchange.isProbeAnswered else { return }
            let first = unsafe pending.sent(on: connection.number).first
            if let first, first.end < connection.exchange.probeEnd { return }
            connection.exchange.conclude()
        }
        resend(connection.exchange.takeParked())
    }

    /// Sends parked calls.
    func resend(_ calls: [CallID]) {
        for id in calls {
            guard let slot = unsafe pending.find(id), let entry = unsafe pending[slot],
                entry.stage == .waiting
            else { continue }
            sendOrQueue(slot, entry.call, avoiding: entry.lastConnection)
        }
    }
}
