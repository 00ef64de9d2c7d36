public import RocketSystem

/// Which endpoints are ejected because they fail more than others: gRFC A50 clause by clause, and
/// ejection after failures in sequence. Endpoints are indices of a `Balancer`. A value; owned by one.
///
/// Where A50's text and its implementations differ, this follows the implementations in C++, Go and
/// Java: no further endpoint is ejected once the ejected share has *reached* `maxEjectionPercent`
/// (the text: is greater), and the failure percentage must be *greater* than its threshold.
public struct OutlierDetection: Sendable {
    /// What A50 keeps per address. Its two buckets of counters are one, since a sweep reads and
    /// clears them in one step.
    private struct Entry {
        var isTracked = false
        var successes = 0
        var failures = 0
        var failuresInSequence = 0
        var multiplier = 0
        var ejectedAt: MonotonicTime?

        var volume: Int { successes + failures }
    }

    /// The parameters. A change counts from the next call and the next sweep on.
    public var configuration: OutlierConfiguration
    private var entries: [Entry] = []
    private var trackedCount = 0
    /// How many endpoints are ejected.
    public private(set) var ejectedCount = 0
    /// How often an endpoint was ejected since the start.
    public private(set) var ejections = 0
    /// When the next sweep is due; nil before the first call of `sweep`.
    private(set) var nextSweep: MonotonicTime?

    /// Without endpoints.
    public init(_ configuration: OutlierConfiguration = OutlierConfiguration()) {
        self.configuration = configuration
    }

    /// Begins to track an endpoint, without a history.
    public mutating func add(_ index: Int) {
        while entries.count <= index { entries.append(Entry()) }
        remove(index)
        entries[index].isTracked = true
        trackedCount += 1
    }

    /// Forgets an endpoint.
    public mutating func remove(_ index: Int) {
        guard entries.indices.contains(index), entries[index].isTracked else { return }
        if entries[index].ejectedAt != nil { ejectedCount -= 1 }
        trackedCount -= 1
        entries[index] = Entry()
    }

    /// Whether an endpoint is ejected.
    public func isEjected(_ index: Int) -> Bool {
        entries.indices.contains(index) && entries[index].ejectedAt != nil
    }

    /// Records a call that succeeded.
    public mutating func succeeded(_ index: Int) {
        guard entries.indices.contains(index) else { return }
        entries[index].successes += 1
        entries[index].failuresInSequence = 0
    }

    /// Records a call that failed; returns whether its endpoint is ejected by that.
    public mutating func failed(_ index: Int, now: MonotonicTime) -> Bool {
        guard entries.indices.contains(index), entries[index].isTracked else { return false }
        entries[index].failures += 1
        entries[index].failuresInSequence += 1
        guard let limit = configuration.consecutiveFailures,
            entries[index].failuresInSequence >= max(1, limit),
            entries[index].ejectedAt == nil, mayEject,
            trackedCount >= configuration.consecutiveFailuresMinimumHosts
        else { return false }
        eject(index, now)
        return true
    }

    /// Runs the sweep if it is due; returns whether an endpoint was ejected or is no longer. The
    /// first call only starts the interval.
    ///
    /// - Parameter generator: for the enforcement percentages; nothing is drawn at 0 and 100.
    public mutating func sweep(
        now: MonotonicTime, using generator: inout some RandomNumberGenerator
    ) -> Bool {
        let interval = max(configuration.interval, .milliseconds(100))
        guard let due = nextSweep, now >= due else {
            if nextSweep == nil { nextSweep = now + interval }
            return false
        }
        nextSweep = now + interval
        let before = ejections
        if let successRate = configuration.successRate {
            ejectBySuccessRate(successRate, now, &generator)
        }
        if let percentage = configuration.failurePercentage {
            ejectByFailurePercentage(percentage, now, &generator)
        }
        let returned = returnEndpoints(now)
        for index in entries.indices {
            entries[index].successes = 0
            entries[index].failures = 0
        }
        return returned || ejections != before
    }

    private var mayEject: Bool {
        ejectedCount == 0
            || ejectedCount * 100 < trackedCount
                * min(100, max(0, configuration.maxEjectionPercent))
    }

    private mutating func eject(_ index: Int, _ now: MonotonicTime) {
        entries[index].ejectedAt = now
        entries[index].multiplier += 1
        entries[index].failuresInSequence = 0
        ejectedCount += 1
        ejections += 1
    }

    /// A50, "Success Rate Algorithm".
    private mutating func ejectBySuccessRate(
        _ parameters: OutlierConfiguration.SuccessRate, _ now: MonotonicTime,
        _ generator: inout some RandomNumberGenerator
    ) {
        let volume = max(1, parameters.requestVolume)
        var count = 0
        var sum = 0.0
        var squares = 0.0
        for entry in entries where entry.volume >= volume {
            let rate = Double(entry.successes) / Double(entry.volume)
            count += 1
            sum += rate
            squares += rate * rate
        }
        guard count >= max(1, parameters.minimumHosts) else { return }
        let mean = sum / Double(count)
        let deviation = max(0, squares / Double(count) - mean * mean).squareRoot()
        let least = mean - deviation * Double(parameters.stdevFactor) / 1_000
        for index in entries.indices {
            guard mayEject else { return }
            let entry = entries[index]
            guard entry.volume >= volume, entry.ejectedAt == nil else { continue }
            if Double(entry.successes) / Double(entry.volume) < least,
                isEnforced(parameters.enforcementPercentage, &generator)
            {
                eject(index, now)
            }
        }
    }

    /// A50, "Failure Percentage Algorithm".
    private mutating func ejectByFailurePercentage(
        _ parameters: OutlierConfiguration.FailurePercentage, _ now: MonotonicTime,
        _ generator: inout some RandomNumberGenerator
    ) {
        guard trackedCount >= parameters.minimumHosts else { return }
        for index in entries.indices {
            guard mayEject else { return }
            let entry = entries[index]
            guard entry.volume >= max(1, parameters.requestVolume), entry.ejectedAt == nil else {
                continue
            }
            if entry.failures * 100 > entry.volume * parameters.threshold,
                isEnforced(parameters.enforcementPercentage, &generator)
            {
                eject(index, now)
            }
        }
    }

    /// Step 5 of A50's timer: multipliers fall, ejections end. One that began in this sweep stays.
    private mutating func returnEndpoints(_ now: MonotonicTime) -> Bool {
        let base = configuration.baseEjectionTime
        let most = max(base, configuration.maxEjectionTime)
        var changed = false
        for index in entries.indices where entries[index].isTracked {
            guard let since = entries[index].ejectedAt else {
                entries[index].multiplier = max(0, entries[index].multiplier - 1)
                continue
            }
            // Bounded, so that the product does not overflow.
            let time = min(base * min(entries[index].multiplier, 1_000_000), most)
            guard now > since + time else { continue }
            entries[index].ejectedAt = nil
            ejectedCount -= 1
            changed = true
        }
        return changed
    }

    private func isEnforced(
        _ percentage: Int, _ generator: inout some RandomNumberGenerator
    ) -> Bool {
        if percentage >= 100 { return true }
        return percentage > 0 && Int.random(in: 0..<100, using: &generator) < percentage
    }
}
