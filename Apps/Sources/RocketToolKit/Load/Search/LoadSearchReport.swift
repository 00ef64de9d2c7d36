import FoundationEssentials
import RocketProgram

/// The result of a search for the highest rate, and its JSON. A value.
struct LoadSearchReport: Codable, Hashable, Sendable {
    /// One load.
    struct Step: Codable, Hashable, Sendable {
        /// Calls per second that were due, and those that have ended.
        var rate: Double
        var callsPerSecond: Double
        var calls: Int
        /// Calls that failed, or were never begun.
        var failed: Int
        /// Those of them that found all callers busy.
        var notBegun: Int
        var errorShare: Double
        /// From when each call was due, in milliseconds.
        var p50Ms: Double
        var p99Ms: Double
        var maxMs: Double
        /// From when each call was begun: without what the client was late.
        var p99FromBeginMs: Double
        /// The share of its time in which the busiest thread of the client worked, in percent.
        var clientBusyPercent: Double
        var verdict: RateSearch.Verdict
        var limits: [LoadLimit.Outcome]

        /// - Parameters:
        ///   - load: latencies from when the calls were due.
        ///   - fromBegin: the same calls, latencies from when they were begun, without calls that were
        ///     never begun.
        init(rate: Double, _ load: LoadReport, fromBegin: LoadReport, _ limits: [LoadLimit]) {
            let total = load.total
            self.rate = rate
            callsPerSecond = total.callsPerSecond
            calls = total.calls
            failed = total.failed
            notBegun = total.notBegun
            errorShare = total.errorShare
            p50Ms = total.latencies.percentile(50)
            p99Ms = total.latencies.percentile(99)
            maxMs = total.latencies.max
            p99FromBeginMs = fromBegin.total.latencies.percentile(99)
            clientBusyPercent = load.client?.busyPercent ?? 0
            self.limits = limits.map { $0.outcome(of: load) }
            verdict = Self.verdict(
                isHeld: self.limits.allSatisfy(\.isMet),
                isHeldFromBegin: limits.allSatisfy { $0.outcome(of: fromBegin).isMet },
                busyPercent: clientBusyPercent)
        }

        /// The client may be the reason of a miss if it had hardly any time left, or if the calls that
        /// it did begin have met all limits, counted from then.
        static func verdict(
            isHeld: Bool, isHeldFromBegin: Bool, busyPercent: Double
        ) -> RateSearch.Verdict {
            if isHeld { return .held }
            return isHeldFromBegin || busyPercent >= LoadSearch.busyPercent ? .client : .missed
        }
    }

    /// What was called, and how; `loop` is that of the first step.
    var setup: LoadReport.Setup
    var search: RateSearch.Settings
    /// Of a step.
    var stepSeconds: Double
    var warmUpSeconds: Double
    /// Those of a step, as they were given.
    var stepLimits: [String]
    /// The calls that a step needs for a verdict about them.
    var neededCalls: Int
    /// In the order in which they were made.
    var steps: [Step] = []
    /// The highest rate at which all limits were met; missing: there was none.
    var rate: Double?
    var bound = RateSearch.Bound.unfinished
    var interrupted = false
    /// Those of the result: `rate=1000`.
    var limits: [LoadLimit.Outcome] = []
    /// The load with the highest rate that held.
    var best: LoadReport?

    init(
        _ setup: LoadReport.Setup, _ search: RateSearch.Settings, _ step: LoadRun.Settings,
        _ limits: [String], _ neededCalls: Int
    ) {
        self.neededCalls = neededCalls
        (self.setup, self.search) = (setup, search)
        stepSeconds = (step.duration ?? .zero) / .seconds(1)
        warmUpSeconds = step.warmUp / .seconds(1)
        stepLimits = limits
    }

    /// Adds a step.
    mutating func add(_ step: Step, _ load: LoadReport) {
        steps.append(step)
        guard step.verdict == .held, step.rate > rate ?? 0 else { return }
        rate = step.rate
        best = load
        best?.limits = step.limits
    }

    /// Adds why it has ended.
    mutating func end(_ search: RateSearch, isStopped: Bool) {
        bound = search.bound
        interrupted = isStopped
    }

    /// Judges the result by the limits of rates.
    mutating func judge(_ limits: [LoadLimit]) {
        self.limits = limits.compactMap { limit in
            guard case .rate(let least) = limit.value else { return nil }
            return LoadLimit.Outcome(
                limit: limit.text, value: "\(LoadNumber.rate(rate ?? 0)) calls/s",
                isMet: rate ?? 0 >= least)
        }
    }

    /// Returns one line of JSON.
    func json() throws -> String { try LoadReport.json(of: self) }
}
