import RocketSystem

/// Decides which notification is due at which time: a status each second, WATCHDOG=1 at half of the
/// watchdog's timeout, an extension of the stop timeout each second while the service stops. A pure
/// value; `SystemdReporter` sends the notifications.
struct NotifySchedule {
    /// What `SystemdReporter` does next.
    enum Action: Hashable {
        case sendStatus
        /// All targets have acknowledged: send WATCHDOG=1 and probe them again.
        case keepAlive
        /// Some targets have not acknowledged since the last probe: log them.
        case reportStuck
        case extendTimeout(Duration)
    }

    static let statusInterval = Duration.seconds(1)
    /// The length of each extension: several statuses, so that single lost datagrams do no harm.
    static let extensionTime = Duration.seconds(5)

    private var nextStatus: MonotonicTime
    private var nextKeepAlive: MonotonicTime?
    private let keepAliveInterval: Duration?
    private var hasReportedStuck = false
    /// While the service stops: the end of the time for the drain.
    private var stopLimit: MonotonicTime?

    init(watchdogTimeout: Duration?, now: MonotonicTime) {
        nextStatus = now + Self.statusInterval
        keepAliveInterval = watchdogTimeout.map { $0 / 2 }
        nextKeepAlive = keepAliveInterval.map { now + $0 }
    }

    /// Records that the service stops and may take `limit` for it.
    mutating func stop(within limit: Duration, now: MonotonicTime) -> Action {
        stopLimit = now + limit
        return .extendTimeout(Self.extensionTime)
    }

    /// Returns the actions that are due at `now`.
    mutating func due(at now: MonotonicTime, allAcknowledged: Bool) -> [Action] {
        var actions: [Action] = []
        if let at = nextKeepAlive, let keepAliveInterval, now >= at {
            if allAcknowledged {
                actions.append(.keepAlive)
                nextKeepAlive = now + keepAliveInterval
                hasReportedStuck = false
            } else {
                if !hasReportedStuck { actions.append(.reportStuck) }
                hasReportedStuck = true
                // A late acknowledgement still counts, so check again soon.
                nextKeepAlive = now + keepAliveInterval / 8
            }
        }
        if now >= nextStatus {
            actions.append(.sendStatus)
            if let stopLimit, now < stopLimit {
                actions.append(.extendTimeout(Self.extensionTime))
            }
            nextStatus = now + Self.statusInterval
        }
        return actions
    }

    /// Returns the time until the next action is due.
    func wait(at now: MonotonicTime) -> Duration {
        let next = min(nextStatus, nextKeepAlive ?? nextStatus)
        return next > now ? next - now : .zero
    }
}
