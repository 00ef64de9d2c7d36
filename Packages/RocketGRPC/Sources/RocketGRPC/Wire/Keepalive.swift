import RocketSystem

/// Decides when to ping the peer and when it counts as gone, after gRFC A8. A value without a clock:
/// its owner passes the time, and calls `due` at the time that the last call returned.
struct Keepalive {
    /// What is to be done now.
    enum Action: Hashable {
        case nothing
        case ping
        /// The peer has not answered a ping in time.
        case close
    }

    /// How long the peer may be silent before it is asked.
    let time: Duration
    /// How long it may take to answer.
    let timeout: Duration
    /// Whether it is asked while there are no calls.
    let permitsWithoutCalls: Bool
    private var lastInput: MonotonicTime
    private var pingedAt: MonotonicTime?

    init(time: Duration, timeout: Duration, permitsWithoutCalls: Bool, now: MonotonicTime) {
        self.time = time
        self.timeout = timeout
        self.permitsWithoutCalls = permitsWithoutCalls
        lastInput = now
    }

    /// Bytes have arrived: the peer is there.
    mutating func received(at now: MonotonicTime) {
        lastInput = now
        pingedAt = nil
    }

    /// Decides what to do at `now`.
    ///
    /// - Returns: also when to ask again; nil: once there are calls.
    mutating func due(at now: MonotonicTime, hasCalls: Bool) -> (Action, next: MonotonicTime?) {
        if let pingedAt {
            let end = pingedAt + timeout
            return now >= end ? (.close, nil) : (.nothing, end)
        }
        if !hasCalls, !permitsWithoutCalls { return (.nothing, nil) }
        let next = lastInput + time
        if now < next { return (.nothing, next) }
        pingedAt = now
        return (.ping, now + timeout)
    }
}
