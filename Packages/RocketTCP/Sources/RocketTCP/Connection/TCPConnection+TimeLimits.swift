import RocketBase
import RocketReactor
import RocketSystem

// The time limits of a connection: silence, idleness, the handshake, a peer that does not answer.

extension TCPConnection {
    /// The time limit that passes next; nil when there is none.
    var nextDeadline: ConnectionDeadlines.Deadline? {
        deadlines.deadline(
            group.limits,
            ConnectionDeadlines.State(
                waitsForInput: wantsRead && machine.delivers, hasPendingOutput: waitsForRoom,
                isClosing: machine.closing != nil, endSent: machine.endSent,
                isInHandshake: security != nil && machine.isConnecting))
    }

    /// Makes the loop's timer fire no later than this connection's next time limit.
    func expectDeadline() {
        if machine.isClosed { return }
        if let deadline = nextDeadline { loopConnections.expect(deadline.time) }
    }

    /// Closes the connection when a time limit has passed.
    ///
    /// - Returns: when the next one passes.
    func checkTimeLimits(at now: MonotonicTime) -> MonotonicTime {
        if now >= answerCheckAt { checkAnswers(at: now) }
        if machine.isClosed { return .distantFuture }
        guard let deadline = nextDeadline else { return answerCheckAt }
        if deadline.time > now { return min(deadline.time, answerCheckAt) }
        perform(machine.handle(.failed(deadline.reason)))
        return .distantFuture
    }

    // MARK: Answers of the peer's machine

    /// Begins to check whether the peer's machine answers: bytes were sent.
    func expectAnswers() {
        awaitsAnswers = true
        liveness = PeerLiveness(sentAt: reactor.now)
        answerCheckAt = liveness.firstCheck(limit: group.limits.answer)
        loopConnections.expect(answerCheckAt)
    }

    private func checkAnswers(at now: MonotonicTime) {
        answerCheckAt = .distantFuture
        let progress =
            loopConnections.injectedProgress?(self)
            ?? (unsafe try? socket?.socket.tcpProgress())
        guard let progress else { return }
        switch liveness.check(progress, at: now, limit: group.limits.answer) {
        case .settled: awaitsAnswers = false
        case .waiting(let time):
            answerCheckAt = time
        case .silent: perform(machine.handle(.failed(.peerSilent)))
        }
    }
}
