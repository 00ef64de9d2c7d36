import RocketBase
import RocketCodec
import RocketReactor
import RocketSystem
import RocketTCP

// What a channel does for its peer beside sending calls: it replaces connections on which the peer
// takes or answers no more calls, and asks how much metadata the peer takes.

extension ChannelCore {
    /// So many connections in a row may be told to go away before any reply; a further one counts
    /// as a failure to connect. Otherwise the channel would connect without a pause to a server that
    /// drains for long.
    private static let maxGoAwaysWithoutReply = 3

    /// The server drains: new calls use another connection, at once, because its successor may
    /// accept already. This one is closed when its last reply has arrived.
    func goingAway(_ connection: ClientConnection) {
        connection.isGoingAway = true
        goAwaysWithoutReply = connection.hasWorked ? 0 : goAwaysWithoutReply + 1
        if goAwaysWithoutReply <= Self.maxGoAwaysWithoutReply { connection.hasWorked = true }
        context.logger.debug("server going away") { $0.add("peer", connection.peers.peerText) }
        retire(connection, after: RPCError(.unavailable, "the server is going away"))
    }

    /// Replaces a connection on which no byte has arrived since a call was sent whose deadline has
    /// passed: its peer hangs, or is gone without a word.
    ///
    /// - Parameter end: where the call ends in the connection's output.
    func replaceSilent(_ number: Int, since end: UInt64) {
        guard let connection = unsafe endpoints.find(number), connection.isSilent(since: end),
            connection.endpoint.shouldReplaceSilent(connection, now: reactor.now)
        else { return }
        context.logger.warn("no reply, connection replaced") {
            $0.add("target", context.target)
            $0.add("peer", connection.peers.peerText)
        }
        retire(connection)
    }

    /// Replaces a connection on which no byte has arrived since it was asked for the limit of its
    /// metadata, and a call's deadline has passed meanwhile.
    func replaceUnanswering(_ number: Int) {
        guard let exchange = unsafe endpoints.find(number)?.exchange, !exchange.isProbeAnswered
        else { return }
        replaceSilent(number, since: exchange.probeEnd)
    }

    // MARK: Peers that take one call at a time

    /// Retires the idle connections on which a call with that id was sent before.
    func replaceUsed(_ id: CallID) {
        while let connection = unsafe endpoints.firstWithRoom, connection.hasUsed(id) {
            guard let slot = connection.poolSlot else { return }
            unsafe endpoints.retire(connection)
            handle(.retired, in: slot, of: connection.endpoint)
            unsafe endpoints.remove(connection)
            connection.close(.now)
        }
    }

    /// The replies that had arrived on a connection have been taken.
    func repliesTaken(on connection: ClientConnection) {
        if connection.exchange.hasParked { sendParked(on: connection) }
        guard settings.rules.isExclusive, connection.callsInFlight == 0 else { return }
        if connection.isUsedUp { return retire(connection) }
        becameWritable()
    }

    // MARK: Metadata of more than 511 bytes

    /// A call waits until the peer's limit is known; asks for that, unless it has been asked for.
    func parked(_ slot: Int, on connection: ClientConnection) {
        if unsafe connection.exchange.parkedCount > 2 * pending.waitingCount + 64 {
            connection.exchange.removeParked { unsafe !pending.isWaiting($0) }
        }
        let most = settings.configuration.maxCallsWaiting
        if unsafe pending.waitingCount > most, unsafe pending[slot]?.attempts == 0 {
            return fail(
                slot, RPCError(.resourceExhausted, "\(most) calls wait to be sent, the most"))
        }
        unsafe pending.move(slot, to: .parked(on: connection.number))
        if connection.exchange.isProbing { return }
        let timeout = settings.configuration.timeout.wholeNanoseconds / 1_000_000
        connection.sendProbe(
            unsafe ids.next(.fresh) { _ in true }, timeoutMilliseconds: Int64(timeout))
    }

    /// Sends the parked calls once the peer's limit is known. It is if the probe is answered, and
    /// all calls before: the peer announces its limit in one of these replies. An error that tells
    /// nothing of the limit ends the calls as if each was answered with it.
    func sendParked(on connection: ClientConnection) {
        var failure: RPCError?
        if !connection.exchange.isKnown {
            guard connection.exchange.isProbeAnswered else { return }
            let first = firstEnd(on: connection.number)
            if let first, first < connection.exchange.probeEnd { return }
            failure = connection.exchange.conclude()
        }
        guard let failure else { return resendParked(of: connection) }
        for id in connection.exchange.takeParked() {
            guard let slot = unpark(id, connection) else { continue }
            if failure.code == .unavailable {
                unsafe pending.countAttempt(of: slot)
                lost(slot, isUnseen: true, failure)
            } else {
                fail(slot, failure)
            }
        }
    }

    /// Sends the parked calls of a connection again.
    ///
    /// - Parameter failure: why they can't be sent on it, which counts as an attempt of each; nil:
    ///   they don't count one.
    func resendParked(of connection: ClientConnection, after failure: RPCError? = nil) {
        for id in connection.exchange.takeParked() {
            guard let slot = unpark(id, connection) else { continue }
            if let failure {
                unsafe pending.countAttempt(of: slot)
                if let entry = unsafe pending[slot],
                    entry.attempts >= maxAttempts(of: entry.call)
                {
                    fail(slot, failure)
                    continue
                }
            }
            guard let entry = unsafe pending[slot] else { continue }
            sendOrQueue(slot, entry.call, avoiding: entry.lastConnection)
        }
    }

    /// Moves a call to the stage `waiting`; nil where it has ended since it was parked there.
    private func unpark(_ id: CallID, _ connection: ClientConnection) -> Int? {
        guard let slot = unsafe pending.find(id),
            unsafe pending[slot]?.stage == .parked(on: connection.number)
        else { return nil }
        unsafe pending.move(slot, to: .waiting)
        return slot
    }
}
