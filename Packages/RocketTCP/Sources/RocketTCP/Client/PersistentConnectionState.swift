import RocketSystem

/// What a `PersistentConnection` does next, as a pure value: an event goes in, an action comes out.
///
/// ```
/// new --start--> connecting --connected--> up --lost----+
///                  ^   |                                |
///                  |   +--failed--> waiting <-----------+
///                  +------waited------+
///  any --stop--> stopping --settled/failed/lost--> stopped (told once)
/// ```
/// Has no socket, no clock and no chance: the shell brings the time and the random numbers.
struct PersistentConnectionState {
    enum Phase: Equatable {
        case new, connecting, waiting, stopping, stopped
        case up(since: MonotonicTime)
    }

    enum Event: Equatable {
        case start
        /// The connection is up.
        case connected
        /// It did not come about.
        case failed
        /// It was up, and is closed.
        case lost
        /// The wait between two attempts is over.
        case waited
        case stop
        /// What `stop` ended is gone.
        case settled
    }

    enum Action: Equatable {
        case nothing
        case connect
        case tellUp
        /// Say that it is down, and report `.waited` after so long.
        case tellDown(retryAfter: Duration)
        /// End the attempt; its outcome follows.
        case cancelAttempt
        /// End the wait, and report `.settled` later.
        case settle
        case closeConnection
        case tellStopped
    }

    private(set) var phase = Phase.new
    private(set) var backOff: BackOff
    private let steadyAfter: Duration

    init(backOff: BackOff, steadyAfter: Duration) {
        self.backOff = backOff
        self.steadyAfter = steadyAfter
    }

    mutating func handle<Generator: RandomNumberGenerator>(
        _ event: Event, at now: MonotonicTime, using generator: inout Generator
    ) -> Action {
        switch (phase, event) {
        case (.new, .start), (.waiting, .waited):
            phase = .connecting
            return .connect
        case (.connecting, .connected):
            phase = .up(since: now)
            return .tellUp
        case (.connecting, .failed): return wait(using: &generator)
        case (.up(let since), .lost):
            // A peer that accepts and closes at once is no success: its clients would all be back
            // after the shortest wait, for ever.
            if now - since >= steadyAfter { backOff.succeeded() }
            return wait(using: &generator)
        case (.stopping, .connected): return .closeConnection
        case (.stopping, .failed), (.stopping, .lost), (.stopping, .settled):
            phase = .stopped
            return .tellStopped
        case (_, .stop): return stop()
        default: return .nothing
        }
    }

    private mutating func wait<Generator: RandomNumberGenerator>(
        using generator: inout Generator
    ) -> Action {
        phase = .waiting
        return .tellDown(retryAfter: backOff.next(using: &generator))
    }

    private mutating func stop() -> Action {
        let before = phase
        if before == .stopped || before == .stopping { return .nothing }
        phase = .stopping
        return switch before {
        case .connecting: .cancelAttempt
        case .up: .closeConnection
        default: .settle
        }
    }
}
