import RocketSystem

/// How a load went on: rate, errors and latencies, interval by interval. A value.
struct LoadCourse: Codable, Hashable, Sendable {
    /// The most points; when there would be more, each two neighbours become one.
    static let maxPoints = 600

    struct Point: Codable, Hashable, Sendable {
        /// The end of the interval, since the start of the load.
        var second: Double
        var calls: Int
        var errors: Int
        var callsPerSecond: Double
        /// The rate at which calls of an open loop were due, on average; missing in a closed loop.
        var targetPerSecond: Double?
        /// The callers of a closed loop whose number changes, on average.
        var callers: Double?
        /// Of the interval; of joined intervals the highest.
        var p50Ms: Double
        var p99Ms: Double
        var maxMs: Double
    }

    private enum CodingKeys: CodingKey { case points }

    private(set) var points: [Point] = []
    /// How many intervals the points have; the last one may have fewer.
    private var intervalsPerPoint = 1
    private var intervalsOfLast = 0

    /// Adds an interval.
    mutating func add(_ point: Point) {
        if intervalsOfLast > 0, intervalsOfLast < intervalsPerPoint {
            points[points.count - 1] = joined(points.count - 1, with: point)
            intervalsOfLast += 1
            return
        }
        points.append(point)
        intervalsOfLast = 1
        if points.count <= Self.maxPoints { return }
        var joined: [Point] = []
        for index in stride(from: 0, to: points.count - 1, by: 2) {
            joined.append(self.joined(index, with: points[index + 1]))
        }
        // The number of points is odd: the last one begins a pair.
        if points.count % 2 == 1, let last = points.last { joined.append(last) }
        points = joined
        intervalsPerPoint *= 2
    }

    /// Adds what came after the last full interval.
    mutating func addRest(_ point: Point) {
        if points.isEmpty { return add(point) }
        points[points.count - 1] = joined(points.count - 1, with: point)
    }

    private func joined(_ index: Int, with next: Point) -> Point {
        var point = points[index]
        let start = index > 0 ? points[index - 1].second : 0
        let middle = point.second
        point.second = next.second
        point.calls += next.calls
        point.errors += next.errors
        point.callsPerSecond =
            point.second > start ? Double(point.calls) / (point.second - start) : 0
        let share = next.second > start ? (next.second - middle) / (next.second - start) : 0
        func mean(_ former: Double?, _ next: Double?) -> Double? {
            guard let former, let next else { return former ?? next }
            return former + (next - former) * share
        }
        point.targetPerSecond = mean(point.targetPerSecond, next.targetPerSecond)
        point.callers = mean(point.callers, next.callers)
        point.p50Ms = max(point.p50Ms, next.p50Ms)
        point.p99Ms = max(point.p99Ms, next.p99Ms)
        point.maxMs = max(point.maxMs, next.maxMs)
        return point
    }
}
