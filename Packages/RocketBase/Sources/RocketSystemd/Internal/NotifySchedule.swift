import RocketSystem

/// When which word is due: a status each second, WATCHDOG=1 at half of the watchdog's time, more
/// time each second while the service stops. A pure value; `SystemdReporter` does what it says.
struct NotifySchedule {
    enum Duty: Hashable {
        case status
        /// All parts have answered: say so, and ask them again.
        case keepAlive
        /// Some part has not answered since it was asked.
        case complain
        case extendTimeout(Duration)
    }

    static let statusInterval = Duration.seconds(1)
    /// Each word about more time holds for as long as several of them could be lost.
    static let grace = Duration.seconds(5)

    private var nextStatus: MonotonicTime
    private var nextBeat: MonotonicTime?
    private let beat: Duration?
    private var hasComplained = false
    /// While it stops: the end of the time that the drain may take.
    private var stopLimit: MonotonicTime?

    init(watchdogTimeout: Duration?, now: MonotonicTime) {
        nextStatus = now + Self.statusInterval
        beat = watchdogTimeout.map { $0 / 2 }
        nextBeat = beat.map { now + $0 }
    }

    /// The service stops, and may take `limit` for it.
    mutating func stop(within limit: Duration, now: MonotonicTime) -> Duty {
        stopLimit = now + limit
        return .extendTimeout(Self.grace)
    }

    /// What has to be done by `now`.
    mutating func due(at now: MonotonicTime, allHaveAnswered: Bool) -> [Duty] {
        var duties: [Duty] = []
        if let at = nextBeat, let beat, now >= at {
            if allHaveAnswered {
                duties.append(.keepAlive)
                nextBeat = now + beat
                hasComplained = false
            } else {
                if !hasComplained { duties.append(.complain) }
                hasComplained = true
                // A late answer still counts: look again soon.
                nextBeat = now + beat / 8
            }
        }
        if now >= nextStatus {
            duties.append(.status)
            if let stopLimit, now < stopLimit { duties.append(.extendTimeout(Self.grace)) }
            nextStatus = now + Self.statusInterval
        }
        return duties
    }

    /// How long nothing is due.
    func wait(at now: MonotonicTime) -> Duration {
        let next = min(nextStatus, nextBeat ?? nextStatus)
        return next > now ? next - now : .zero
    }
}
