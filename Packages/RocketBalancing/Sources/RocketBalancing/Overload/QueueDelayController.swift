public import RocketSystem

/// Whether a server is overloaded, by how long calls wait until their handlers begin, and which calls
/// it refuses then: CoDel (Nichols, Jacobson, 2012) as Facebook applies it to requests (folly's Codel;
/// Maurer: "Fail at Scale", 2015). A value; owned by one queue, such as a loop's.
///
/// A queue that is never short for a whole interval will not empty by itself. While that is so, calls
/// that waited for longer than twice the target are refused: cheap, since they did not begin, and
/// right, since those that wait longest are next to their deadlines. Unlike a limit on the length,
/// the target need not be chosen by how long calls take. Where fewer calls are served in an interval
/// than it has targets, because each takes longer, the target is the interval through their number:
/// a queue of one call is no overload (RFC 8289, 4.4: CoDel leaves one packet in the queue).
///
/// In folly, an overload ends with the first interval whose least delay is below the target, which may
/// be so just because calls were refused; then the queue grows for an interval, and all calls at its
/// head are refused. Here it lasts while more than a tenth of the calls is refused, so the queue stays
/// where calls of the lowest priority begin to be refused (docs/decisions/0026).
public struct QueueDelayController: Sendable {
    /// The delay that is acceptable for long. Default 5 ms.
    public var target: Duration
    /// How long the least delay must be above the target. Default 100 ms.
    public var interval: Duration

    /// An overload lasts while more than one of so many calls is refused.
    private static let lastingShare = 10

    private var intervalEnd: MonotonicTime?
    private var effectiveTarget: Duration
    private var leastDelay = Duration.zero
    private var lastLeastDelay = Duration.zero
    private var hasDelay = false
    private var seen = 0
    private var refused = 0
    /// Whether the least delay of the last interval was above the target.
    public private(set) var isOverloaded = false
    /// Calls that were refused since the start.
    public private(set) var refusals: UInt64 = 0

    /// Creates a controller, not overloaded.
    ///
    /// - Parameters: see the properties.
    public init(target: Duration = .milliseconds(5), interval: Duration = .milliseconds(100)) {
        self.target = target
        effectiveTarget = target
        self.interval = interval
    }

    /// Decides on a call when it leaves the queue; false: refuse it. Each call must be shown, also
    /// while nothing is refused.
    ///
    /// - Parameters:
    ///   - delay: how long it waited.
    ///   - priority: critical calls may wait twice as long as others before they are refused.
    public mutating func admits(
        delay: Duration, priority: CallPriority = .standard, now: MonotonicTime
    ) -> Bool {
        if let end = intervalEnd, now >= end, hasDelay {
            // The time that a call occupies the server, if that was busy.
            let occupied = interval / max(1, seen - refused)
            effectiveTarget = max(target, occupied)
            isOverloaded =
                leastDelay > effectiveTarget || isOverloaded && refused * Self.lastingShare > seen
            lastLeastDelay = leastDelay
            hasDelay = false
            seen = 0
            refused = 0
            intervalEnd = now + interval
        } else if intervalEnd == nil {
            intervalEnd = now + interval
        }
        seen += 1
        if !hasDelay {
            // The first call of an interval is never refused: one call must get through to measure.
            hasDelay = true
            leastDelay = delay
            return true
        }
        leastDelay = min(leastDelay, delay)
        guard isOverloaded, delay > effectiveTarget * priority.queueDelayFactor else { return true }
        refused += 1
        refusals += 1
        return false
    }

    /// The least delay of the last interval: what a new call will wait at least.
    public var expectedDelay: Duration { lastLeastDelay }

    /// How overloaded the queue is: the least delay of the last interval, of twice the target; 1 and
    /// more while calls are refused all the time.
    public var level: Double { lastLeastDelay / (effectiveTarget * 2) }
}
