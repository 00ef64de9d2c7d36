public import RocketSystem

/// A limit on calls in flight of one method that follows from their durations: Netflix's Gradient2
/// (concurrency-limits), for handlers that wait on something else, such as a database, whose queue
/// `QueueDelayController` can't see. A value; owned by a loop or a method.
///
/// The average duration of each window of 100 ms is compared with a long average: while it is at most
/// `tolerance` times as long, the limit grows by `queueSize` × `smoothing`; when durations grow, it
/// shrinks in proportion, at most by half. It does not grow while less than half of it is used.
///
/// Three things differ from Netflix's library (docs/decisions/0026):
/// - the samples are averages of 100 ms, not single calls or seconds;
/// - until durations grow for the first time, the limit grows by a fifth per window, as in TCP's slow
///   start: from 20 to 100 it took ten seconds;
/// - while calls are refused, the long average grows ten times slower: it follows the queue that the
///   limit itself permits, and in a minute of overload the limit had doubled.
public struct Gradient2Limit: Sendable {
    /// The parameters; names and defaults of Netflix's Gradient2Limit, but for `maxLimit` (200).
    public struct Configuration: Hashable, Sendable {
        /// The limit at the start. Default 20.
        public var initialLimit = 20
        /// The least limit; at least 1. Default 20.
        public var minLimit = 20
        /// The greatest limit. Default 1,000.
        public var maxLimit = 1_000
        /// The weight of a new limit, 0 to 1. Default 0.2.
        public var smoothing = 0.2
        /// How much longer than on average calls may take; at least 1. Default 1.5.
        public var tolerance = 1.5
        /// Windows in the long average. Default 600: a minute.
        public var longWindow = 600
        /// Calls that may wait behind those that are served. Default 4.
        public var queueSize = 4

        /// The defaults.
        public init() {}
    }

    private static let window = Duration.milliseconds(100)
    private static let windowSamples = 10
    private static let warmUp = 10
    private static let limitedFactor = 10.0

    /// The parameters.
    public let configuration: Configuration
    private var estimate: Double
    /// Calls in flight.
    public private(set) var inFlight = 0
    /// Calls that were refused since the start.
    public private(set) var refusals: UInt64 = 0

    private var isStarting = true
    private var hasRefused = false
    private var windowEnd: MonotonicTime?
    private var windowSum = 0.0
    private var windowCount = 0
    private var windowMost = 0
    private var longAverage = 0.0
    private var averaged = 0

    /// Creates a limiter without calls in flight.
    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        estimate = Double(max(1, configuration.initialLimit))
    }

    /// The limit now.
    public var limit: Int { Int(estimate) }

    /// Returns whether a call may begin, and counts it as in flight if so. Exactly one `ended` must
    /// follow.
    public mutating func begin(priority: CallPriority = .standard) -> Bool {
        guard inFlight * 100 < limit * priority.limitPercent else {
            refusals += 1
            hasRefused = true
            return false
        }
        inFlight += 1
        windowMost = max(windowMost, inFlight)
        return true
    }

    /// Records the end of a call.
    ///
    /// - Parameters:
    ///   - duration: how long its handler ran; nil if that says nothing of the load, since it failed
    ///     early or was cancelled.
    ///   - now: the time of the loop.
    public mutating func ended(after duration: Duration?, now: MonotonicTime) {
        inFlight = max(0, inFlight - 1)
        guard let duration else { return }
        windowSum += Double(max(1, duration.wholeNanoseconds))
        windowCount += 1
        guard let end = windowEnd else {
            windowEnd = now + Self.window
            return
        }
        guard now >= end, windowCount >= Self.windowSamples else { return }
        update(windowSum / Double(windowCount), inFlight: windowMost)
        windowEnd = now + Self.window
        windowSum = 0
        windowCount = 0
        windowMost = inFlight
        hasRefused = false
    }

    /// Netflix's `_update`.
    private mutating func update(_ short: Double, inFlight: Int) {
        if averaged < Self.warmUp {
            averaged += 1
            longAverage += (short - longAverage) / Double(averaged)
        } else {
            var weight = 2 / Double(max(1, configuration.longWindow) + 1)
            if short > longAverage && hasRefused { weight /= Self.limitedFactor }
            longAverage += (short - longAverage) * weight
        }
        // The load is over: the long average follows faster than by itself.
        if longAverage / short > 2 { longAverage *= 0.95 }
        if Double(inFlight) < estimate / 2 { return }
        let gradient = max(0.5, min(1, configuration.tolerance * longAverage / short))
        if gradient < 1 { isStarting = false }
        let growth = isStarting ? estimate : Double(configuration.queueSize)
        let new = estimate * gradient + growth
        estimate += (new - estimate) * min(1, max(0, configuration.smoothing))
        let least = Double(max(1, configuration.minLimit))
        estimate = max(least, min(estimate, max(least, Double(configuration.maxLimit))))
    }

}
