import ArgumentParser
import RocketProgram
import RocketSystem

/// A search for the highest rate: one load after the other. Any thread.
final class LoadSearch: Sendable {
    /// The limits that a step has to meet, beside those that the user gave: a server that refuses calls
    /// answers quickly.
    static let errors = "errors=1%"
    /// A client that works for this share of the time or more may be the reason of a miss.
    static let busyPercent = 80.0

    private let calls: LoadCalls
    private let settings: RateSearch.Settings
    private let limits: [LoadLimit]
    /// The calls that a step needs for a verdict about all limits.
    private let neededCalls: Int
    /// Of each step, but for its rate.
    private let step: LoadRun.Settings
    private let state = Locked(State())

    private struct State {
        var run: LoadRun?
        var isStopped = false
    }

    /// - Parameters:
    ///   - limits: those of rates do not count: a step has the rate that it has.
    ///   - step: the settings of each step, which have a duration; the rate is that of the search.
    init(
        _ calls: LoadCalls, _ settings: RateSearch.Settings, limits: [LoadLimit],
        step: LoadRun.Settings
    ) throws {
        self.calls = calls
        let limits = limits.filter { !$0.isRate }
        self.limits = try limits + (limits.contains { $0.isErrors } ? [] : [LoadLimit(Self.errors)])
        self.step = step
        neededCalls = self.limits.map(\.neededCalls).max() ?? 0
        let seconds = ((step.duration ?? .zero) - step.warmUp) / .seconds(1)
        var settings = settings
        // Fewer calls show nothing, unless the user begins with as few.
        let lowest = seconds > 0 ? Double(neededCalls) / seconds : 0
        settings.lowest = min(settings.first, max(lowest, RateSearch.lowest))
        self.settings = settings
    }

    private func step(rate: Double) -> LoadRun.Settings {
        var step = step
        step.schedule = LoadSchedule(from: rate, [(step.duration ?? .zero, rate)])
        step.countsFromBegin = true
        return step
    }

    /// What is to come: the highest rate, the number of steps, and how long they take.
    var plan: String {
        let steps = RateSearch.mostSteps(settings)
        let seconds = (step.duration ?? .zero) / .seconds(1)
        return "search for the highest rate with \(limits.map(\.text).joined(separator: ", ")): "
            + "\(LoadNumber.rate(settings.first)) to at most \(LoadNumber.rate(settings.highest)) "
            + "calls/s, at most \(steps) steps of \(LoadNumber.text(seconds, 1)) s "
            + "(\(LoadNumber.text(step.warmUp / .seconds(1), 1)) s warm-up), at most "
            + "\(LoadNumber.text(Double(steps) * seconds, 0)) s and what the last calls take"
    }

    /// Ends the search early, with the steps so far.
    func stop() {
        let run = state.withLock { state in
            state.isStopped = true
            return state.run
        }
        run?.stop()
    }

    /// Runs the steps.
    ///
    /// - Parameters:
    ///   - progress: called while a step runs, as by `LoadRun`, with the setup of the step.
    ///   - ended: called after each step.
    /// - Throws: as `LoadRun`.
    func run(
        _ setup: LoadReport.Setup, target: ServerTarget,
        progress: @escaping @Sendable (LoadReport.Setup, LoadProgress) -> Void,
        ended: (LoadSearchReport.Step) -> Void
    ) async throws -> LoadSearchReport {
        var search = RateSearch(settings)
        var report = LoadSearchReport(setup, settings, step, limits.map(\.text), neededCalls)
        while let rate = search.next {
            let run = LoadRun(calls, step(rate: rate))
            let isStopped = state.withLock { state in
                state.run = run
                return state.isStopped
            }
            if isStopped { break }
            var stepSetup = setup
            stepSetup.loop = "step \(search.steps + 1), \(LoadNumber.rate(rate)) calls/s"
            let load = try await run.run(stepSetup, target: target) { [stepSetup] in
                progress(stepSetup, $0)
            }
            if load.interrupted || Task.isCancelled { break }
            let step = LoadSearchReport.Step(
                rate: rate, load, fromBegin: run.reportFromBegin ?? load, limits)
            search.record(step.verdict)
            report.add(step, load)
            ended(step)
        }
        report.end(search, isStopped: state.withLock { $0.isStopped })
        return report
    }
}

extension LoadLimit {
    /// Whether it is the least rate.
    var isRate: Bool { if case .rate = value { true } else { false } }

    /// Whether it is of the errors of all calls.
    fileprivate var isErrors: Bool {
        if method != nil { return false }
        return switch value {
        case .errorShare, .errors: true
        case .percentile, .mean, .rate: false
        }
    }
}

extension LoadNumber {
    /// Returns a rate: whole, or with two digits after the point.
    static func rate(_ value: Double) -> String { text(value, value == value.rounded() ? 0 : 2) }
}
