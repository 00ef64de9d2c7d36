import RocketSystem

/// Lets one log line pass per interval, for events that peers can cause at will. Any thread.
final class LogThrottle: Sendable {
    private struct State {
        var nextAt = MonotonicTime(nanoseconds: 0)
        var count = 0
    }

    private let state = Locked(State())
    private let interval: Duration

    init(every interval: Duration) { self.interval = interval }

    /// Counts an event.
    ///
    /// - Returns: how many there were since the last line, this one included; nil: no line now.
    func pass(at now: MonotonicTime) -> Int? {
        state.withLock { state in
            state.count += 1
            if now < state.nextAt { return nil }
            defer { state.count = 0 }
            state.nextAt = now + interval
            return state.count
        }
    }
}
