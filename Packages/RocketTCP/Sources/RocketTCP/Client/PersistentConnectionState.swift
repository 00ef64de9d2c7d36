import RocketSystem

/// State machine of a `PersistentConnection`: an event goes in, an action comes out. A pure value.
///
/// ```
/// new --start--> connecting --connected--> up --lost----+
///                  ^   |                                |
///                  |   +--failed--> waiting <-----------+
///                  +------waited------+
///  any --stop--> stopping --settled/failed/lost--> stopped (reported once)
/// ```
/// It has no socket and no clock; `PersistentConnection` passes the time and the random numbers.
struct PersistentConnectionState {
    enum Phase: Equatable {
        case new, connecting, waiting, stopping, stopped
        case up(since: MonotonicTime)
    }

    enum Event: Equatable {
        case start
        /// The connection is established.
        case connected
        /// The attempt failed.
        case failed
        /// The connection has ended.
        case lost
        /// The wait between two attempts is over.
        case waited
        case stop
        /// Nothing is left of what `stop` ended.
        case settled
    }

    enum Action: Equatable {
        case nothing
        case connect
        case notifyUp
        /// Notify the owner, and report `.waited` after so long.
        case notifyDown(retryAfter: Duration)
        /// Cancel the attempt, whose outcome follows.
        case cancelAttempt
        /// End the wait, and report `.settled` later.
        case settle
        case closeConnection
        case notifyStopped
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
            return .notifyUp
        case (.connecting, .failed): return wait(using: &generator)
        case (.up(let since), .lost):
            // A peer that accepts and closes at once is no success: its clients would reconnect at
            // the shortest interval for ever.
            if now - since >= steadyAfter { backOff.succeeded() }
            return wait(using: &generator)
        case (.stopping, .connected): return .closeConnection
        case (.stopping, .failed), (.stopping, .lost), (.stopping, .settled):
            phase = .stopped
            return .notifyStopped
        case (_, .stop): return stop()
        default: return .nothing
        }
    }

    private mutating func wait<Generator: RandomNumberGenerator>(
        using generator: inout Generator
    ) -> Action {
        phase = .waiting
        return .notifyDown(retryAfter: backOff.next(using: &generator))
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
