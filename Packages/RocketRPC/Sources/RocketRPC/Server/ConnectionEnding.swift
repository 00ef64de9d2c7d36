import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

/// Whether and how a connection ends: its server drains, it is old, or its peer has half-closed it.
struct ConnectionEnding {
    /// The server drains, or the connection is old: further calls are answered with UNAVAILABLE.
    fileprivate(set) var isDraining = false
    /// It is old, and its grace runs.
    fileprivate var isOld = false
    /// Why it drains.
    fileprivate var reason = CloseReason.drained
    /// The peer sends no more; its calls are still answered.
    var isInputEnded = false {
        didSet { hasBegun = true }
    }
    /// Whether either of the two is the case.
    private(set) var hasBegun = false
    fileprivate var isGoAwaySent = false
    /// How long the connection stays open for a first frame of a peer that does not know
    /// `rocket.goaway` and was idle when the drain began; nil: it is closed after its last call.
    fileprivate(set) var silentUntil: MonotonicTime?

    /// How long a draining server waits for a frame that such a peer may be sending.
    static let silentPeriod = Duration.seconds(1)

    fileprivate mutating func drain(_ reason: CloseReason) {
        self.reason = reason
        isDraining = true
        hasBegun = true
    }
}

extension ServerConnection {
    /// Begins to drain, once. A peer that knows metadata is sent `rocket.goaway`, and the
    /// connection stays open until this peer has closed its side: no call meets a closed socket. A
    /// peer that was idle and does not know metadata has `silentPeriod` to send a frame, which is
    /// answered; others are closed after their last call.
    func beginDraining(_ reason: CloseReason = .drained) {
        if ending.isDraining { return }
        ending.drain(reason)
        if metadata.isKnown {
            sendGoAway()
        } else if callsInFlight == 0, let scheduler {
            ending.silentUntil = scheduler.now + ConnectionEnding.silentPeriod
            scheduler.closeSilentPeersLater()
        }
        scheduler?.enqueue(self)
    }

    /// Returns the error of a call that arrives while the server drains.
    func refusalWhileDraining() -> RPCError {
        ending.silentUntil = nil
        if metadata.isKnown { sendGoAway() }
        return RPCError(
            .unavailable,
            ending.reason == .drained ? "the server is draining" : "the connection is too old")
    }

    /// Drains the connection because it is old; the next time closes it, with the calls on it.
    ///
    /// - Returns: whether there is to be a next time.
    func endForAge() -> Bool {
        if ending.isOld {
            transport?.close(.now, reason: .tooOld)
            return false
        }
        // Also where the server has begun to drain before: the grace is for the calls.
        ending.isOld = true
        beginDraining(.tooOld)
        return true
    }

    /// Ends all calls in flight with an error, and closes the connection when that has been sent: the
    /// time for the drain is up. The code is that of a lost connection: the calls have begun, so
    /// UNAVAILABLE would be wrong.
    func endCalls() {
        guard let scheduler else { return }
        for task in scheduler.suspendedTasks(of: self) {
            task.responder.answer(with: Self.stopped)
            task.cancelCall()
        }
        transport?.close(.afterFlush, reason: .drained)
    }

    private static let stopped = RPCError(
        .peerClosed, "the server stopped before the call had ended")

    /// Closes the connection if it is ending and its last call has been answered.
    func endIfDone() {
        endWatches()
        if callsInFlight > 0 {
            // A peer that has closed both directions answers the frame by a reset, which cancels
            // its calls; one that still reads ignores it.
            if ending.isInputEnded, metadata.isKnown { sendGoAway() }
        } else if ending.isInputEnded {
            transport?.close(.afterFlush, reason: .peerFinished)
        } else if !metadata.isKnown, ending.silentUntil == nil {
            transport?.close(.afterFlush, reason: ending.reason)
        } else if metadata.isKnown {
            // A call of `rocket.Health`, which is never refused, was the first to show that.
            sendGoAway()
        }
    }

    /// Closes the connection if it still waits for a first frame since the drain began.
    func silentPeriodEnded(_ now: MonotonicTime) {
        guard let silentUntil = ending.silentUntil, silentUntil <= now else { return }
        ending.silentUntil = nil
        endIfDone()
    }

    /// Sends `rocket.goaway`, once.
    private func sendGoAway() {
        if ending.isGoAwaySent { return }
        ending.isGoAwaySent = true
        guard let transport else { return }
        send(over: transport) { GoAwayFrame.append(to: &$0, codec) }
    }
}
