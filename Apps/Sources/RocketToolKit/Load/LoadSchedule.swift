/// A rate of calls, or a number of callers, that is constant or changes linearly, stage by stage. Call i
/// of an open loop is due when the rate's integral has reached i, whatever the server does. A value.
struct LoadSchedule: Hashable, Sendable {
    /// The most stages.
    static let maxStages = 100

    /// Seconds in which the rate goes linearly from one value to another.
    struct Stage: Hashable, Sendable {
        let seconds: Double
        /// Calls per second at its beginning and at its end.
        let from: Double
        let to: Double

        /// Calls that are due within it.
        var calls: Double { (from + to) / 2 * seconds }

        /// When call number `index` of the stage is due, in seconds since its beginning.
        func due(_ index: Double) -> Double {
            // The root of from·t + (to - from)/(2·seconds)·t² = index, in the form that is exact
            // for a constant rate, too.
            let root = (from * from + 2 * (to - from) / seconds * index).squareRoot()
            return index > 0 ? 2 * index / (from + root) : 0
        }
    }

    let stages: [Stage]

    /// - Parameters:
    ///   - rate: calls per second at the beginning.
    ///   - stages: durations, and the rate at the end of each.
    init(from rate: Double, _ stages: [(Duration, Double)]) {
        var rate = rate
        self.stages = stages.map { duration, target in
            defer { rate = target }
            return Stage(seconds: duration / .seconds(1), from: rate, to: target)
        }
    }

    /// From the first stage's beginning to the last one's end.
    var duration: Duration { .seconds(stages.reduce(0) { $0 + $1.seconds }) }

    /// Returns when call number `index` (from 0) is due, since the start; nil: no such call is due.
    func due(_ index: Int) -> Duration? {
        var rest = Double(index)
        var start = 0.0
        for stage in stages {
            if rest < stage.calls { return .nanoseconds(Int64((start + stage.due(rest)) * 1e9)) }
            rest -= stage.calls
            start += stage.seconds
        }
        return nil
    }

    /// The number of calls that are due until then, for what was never begun.
    func calls(until time: Duration) -> Int { Int(integral(until: time).rounded(.up)) }

    /// Returns the mean between two times; 0 if there is nothing between them.
    func mean(from start: Duration, to end: Duration) -> Double {
        let seconds = (min(end, duration) - start) / .seconds(1)
        return seconds > 0 ? (integral(until: end) - integral(until: start)) / seconds : 0
    }

    private func integral(until time: Duration) -> Double {
        var count = 0.0
        var rest = time / .seconds(1)
        for stage in stages where rest > 0 {
            let part = min(rest, stage.seconds)
            let slope = (stage.to - stage.from) / stage.seconds
            count += stage.from * part + slope / 2 * part * part
            rest -= part
        }
        return count
    }

    /// Returns the first time, not before `time`, at which the value is at least that; nil: there is
    /// none before the end.
    func time(ofAtLeast value: Double, from time: Duration) -> Duration? {
        var start = 0.0
        let first = time / .seconds(1)
        for stage in stages {
            defer { start += stage.seconds }
            if start + stage.seconds <= first { continue }
            let slope = (stage.to - stage.from) / stage.seconds
            let offset = max(0, first - start)
            if stage.from + slope * offset >= value { return .seconds(start + offset) }
            // Rising: or it would have had the value before.
            if stage.to >= value { return .seconds(start + (value - stage.from) / slope) }
        }
        return nil
    }

    /// The times at which the stages end, since the start.
    var ends: [Duration] {
        var end = 0.0
        return stages.map { stage in
            end += stage.seconds
            return .seconds(end)
        }
    }
}
