import RocketBase
import RocketDynamic
import RocketRPC
import RocketSystem

/// What the calls of a load have been: counts by loop, the course, and the reports that are made of
/// them. Any thread.
final class LoadRecorder: Sendable {
    /// One for each loop.
    let counters: [LoadLoopCounters]
    private let settings: LoadRun.Settings
    private let methods: [String]
    private let stages: LoadStages
    private let state = Locked(State())

    private struct State {
        var course = LoadCourse()
        var start = MonotonicTime(nanoseconds: 0)
        var end = MonotonicTime(nanoseconds: 0)
        /// When the last interval of the course ended.
        var lastTick = MonotonicTime(nanoseconds: 0)
        /// The share of its time in which the busiest loop worked, 0 to 1.
        var busy = 0.0
        /// At the end of the warm-up, and at that of the load.
        var before = LoadProcessorTime(servers: [])
        var after = LoadProcessorTime(servers: [])
    }

    init(_ calls: LoadCalls, _ settings: LoadRun.Settings, _ stages: LoadStages) {
        (self.settings, self.stages) = (settings, stages)
        methods = calls.methods.map(\.method.fullName)
        let weights = calls.methods.map(\.weight)
        counters = (0..<settings.threads).map { _ in
            LoadLoopCounters(
                weights: weights, stages, warmUp: settings.warmUp,
                countsFromBegin: settings.countsFromBegin)
        }
    }

    private var processorTime: LoadProcessorTime {
        LoadProcessorTime(servers: settings.serverProcesses)
    }

    /// The load begins, with its warm-up.
    func begin(at start: MonotonicTime) {
        let now = processorTime
        state.withLock { state in
            (state.start, state.lastTick) = (start, start + settings.warmUp)
            state.before = now
        }
    }

    /// The warm-up has ended.
    func endWarmUp() {
        let now = processorTime
        state.withLock { $0.before = now }
    }

    /// The last call has ended.
    func end(at end: MonotonicTime) {
        _ = endInterval(at: end)
        let now = processorTime
        state.withLock { ($0.end, $0.after) = (end, now) }
    }

    /// Adds the share of its time in which a loop has worked, 0 to 1.
    func add(busy: Double) { state.withLock { $0.busy = max($0.busy, busy) } }

    /// Adds a point to the course, and returns that.
    func endInterval(at now: MonotonicTime) -> LoadCourse {
        var interval = LoadCounts.Interval()
        for counter in counters { interval.add(counter.endInterval()) }
        let latencies = LoadLatencies(interval.latencies)
        return state.withLock { state in
            let seconds = (now - state.lastTick) / .seconds(1)
            if seconds <= 0 || interval.calls == 0 && seconds < 0.1 { return state.course }
            let (began, ended) = (state.lastTick - state.start, now - state.start)
            state.lastTick = now
            let point = LoadCourse.Point(
                second: (ended - settings.warmUp) / .seconds(1), calls: interval.calls,
                errors: interval.errors, callsPerSecond: Double(interval.calls) / seconds,
                targetPerSecond: settings.schedule?.mean(from: began, to: ended),
                callers: settings.callers?.mean(from: began, to: ended),
                p50Ms: latencies.percentile(50), p99Ms: latencies.percentile(99),
                maxMs: latencies.max)
            if seconds < LoadRun.interval / .seconds(1) / 2 {
                state.course.addRest(point)
            } else {
                state.course.add(point)
            }
            return state.course
        }
    }

    /// Returns the report of an ended load, and, if it was wanted, that of the same calls with latencies
    /// from when each was begun, and without those that were never begun.
    func reports(
        _ setup: LoadReport.Setup, interrupted: Bool
    ) -> (LoadReport, fromBegin: LoadReport?) {
        let state = state.withLock { $0 }
        let elapsed = state.end - state.start
        func report(_ counts: [LoadCounts]) -> LoadReport {
            var report = LoadReport(
                setup, methods: methods, LoadCounts.sum(counts),
                seconds: max(0, (elapsed - settings.warmUp) / .seconds(1)),
                interrupted: interrupted, course: state.course)
            report.client = .init(busyPercent: state.busy * 100)
            report.add(state.after.spent(since: state.before), settings.serverProcesses)
            return report
        }
        var result = report(counters.map(\.counts.all))
        result.stages = stageReports(elapsed)
        let fromBegin = counters.compactMap { $0.fromBegin?.all }
        return (result, fromBegin.isEmpty ? nil : report(fromBegin))
    }

    /// The calls of each stage; nil: there are none.
    private func stageReports(_ elapsed: Duration) -> [LoadReport.Stage]? {
        let counts = counters.compactMap { $0.byStage?.all }
        guard !counts.isEmpty, let schedule = settings.schedule ?? settings.callers else {
            return nil
        }
        var start = Duration.zero
        return zip(schedule.stages, zip(stages.ends, LoadCounts.sum(counts).methods)).map {
            stage, counted in
            let (end, counts) = counted
            // Without the warm-up, and what was not reached.
            let measured = min(end, elapsed) - max(start, settings.warmUp)
            start = end
            return LoadReport.Stage(
                from: stage.from, to: stage.to,
                unit: settings.callers == nil ? "calls/s" : "callers", seconds: stage.seconds,
                calls: .init("", counts, seconds: max(0, measured / .seconds(1))))
        }
    }
}

/// The counts of one event loop, in up to three ways. Any thread.
struct LoadLoopCounters: Sendable {
    /// By method, from when calls were due.
    let counts: LoadCounter
    /// By method, from when calls were begun.
    let fromBegin: LoadCounter?
    /// By stage in place of method; nil without stages.
    let byStage: LoadCounter?
    private let weights: [Int]
    private let stages: LoadStages
    private let warmUp: Duration

    init(weights: [Int], _ stages: LoadStages, warmUp: Duration, countsFromBegin: Bool) {
        counts = LoadCounter(methods: weights.count)
        fromBegin = countsFromBegin ? LoadCounter(methods: weights.count) : nil
        byStage = stages.ends.isEmpty ? nil : LoadCounter(methods: stages.ends.count)
        (self.weights, self.stages, self.warmUp) = (weights, stages, warmUp)
    }

    /// Records the end of a call.
    ///
    /// - Parameter messages: of a call with a stream.
    func record(
        _ call: LoadCallers.Call, begin: MonotonicTime, end: MonotonicTime, _ error: RPCError?,
        _ messages: LoadMessages?
    ) {
        counts.record(call.method, end - call.due, error)
        if let messages { counts.record(call.method, messages) }
        fromBegin?.record(call.method, end - begin, error)
        byStage?.record(call.stage, end - call.due, error)
    }

    /// Counts the calls that were due and never begun.
    ///
    /// - Parameter count: returns how many of them were due after some time of the load.
    func addNotBegun(_ count: (Duration) -> Int) {
        counts.addNotBegun(count(warmUp), weights: weights)
        var start = warmUp
        for (index, end) in stages.ends.enumerated() where end > warmUp {
            byStage?.addNotBegun(
                count(start) - count(end), weights: stages.ends.indices.map { $0 == index ? 1 : 0 })
            start = end
        }
    }

    func endInterval() -> LoadCounts.Interval { counts.endInterval() }
}
