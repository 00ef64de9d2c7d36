import RocketSystem
import RocketTCP

/// When a name is looked up again. A value; the time and the random numbers are parameters.
struct DNSSchedule {
    /// How a lookup has ended.
    enum Outcome {
        /// With a list, which differs from the last one or not.
        case found(ttl: Duration?, isNew: Bool)
        /// With a list where something that could not be looked up is as it was, or missing.
        case foundPart(ttl: Duration?)
        /// There is no such name.
        case negative(ttl: Duration?)
        case failed
    }

    /// The bounds of a TTL.
    static let leastTTL = Duration.seconds(1)
    static let mostTTL = Duration.seconds(300)
    /// Where there is no TTL.
    static let defaultTTL = Duration.seconds(30)
    /// The least time between lookups that the channel asks for.
    static let leastRefresh = Duration.seconds(1)

    /// The time of the next lookup; nil: one is running.
    private(set) var due: MonotonicTime?
    /// The earliest time of one that the channel asks for.
    private var earliest = MonotonicTime(nanoseconds: 0)
    /// Waits of 1 to 2 s, then twice as long, up to 15 to 30 s.
    private var backOff = BackOff(first: .seconds(2), most: .seconds(30))
    /// Whether the channel has asked for the lookup.
    private var isRefresh = false

    mutating func ended(
        _ outcome: Outcome, at now: MonotonicTime, using generator: inout some RandomNumberGenerator
    ) {
        switch outcome {
        case .found(let ttl, let isNew):
            due = now + Self.clamped(ttl)
            if isRefresh && !isNew {
                earliest = now + backOff.next(using: &generator)
            } else {
                backOff.succeeded()
                earliest = now + Self.leastRefresh
            }
        case .foundPart(let ttl):
            earliest = now + backOff.next(using: &generator)
            due = min(earliest, now + Self.clamped(ttl))
        case .negative(let ttl):
            earliest = now + Self.clamped(ttl)
            due = earliest
        case .failed:
            earliest = now + backOff.next(using: &generator)
            due = earliest
        }
        isRefresh = false
    }

    /// A lookup begins.
    mutating func began() { due = nil }

    /// The channel asks for a lookup.
    ///
    /// - Returns: false: one is running, or is due early enough.
    mutating func refresh(at now: MonotonicTime) -> Bool {
        guard let due else { return false }
        let wanted = max(now, earliest)
        guard wanted < due else { return false }
        self.due = wanted
        isRefresh = true
        return true
    }

    private static func clamped(_ ttl: Duration?) -> Duration {
        min(max(ttl ?? defaultTTL, leastTTL), mostTTL)
    }
}
