import Histogram

/// Latencies as pairs of a value in nanoseconds and its number of calls, by value. Read from reports,
/// too, so nothing about them is taken for granted but that. A value.
struct LoadLatencies: Hashable, Sendable {
    let counts: [(value: UInt64, count: UInt64)]
    let total: UInt64

    static func == (a: Self, b: Self) -> Bool { a.pairs == b.pairs }
    func hash(into hasher: inout Hasher) { hasher.combine(pairs) }

    /// - Parameter counts: in any order.
    init(_ counts: [(value: UInt64, count: UInt64)]) {
        self.counts = counts.filter { $0.count > 0 }.sorted { $0.value < $1.value }
        total = counts.reduce(0) { $0.addingReportingOverflow($1.count).partialValue }
    }

    init(_ histogram: Histogram<UInt64>) {
        self.init(histogram.recordedValues().map { ($0.value, $0.count) })
    }

    /// As in a report.
    var pairs: [[UInt64]] { counts.map { [$0.value, $0.count] } }

    /// Returns the latency in milliseconds that this share of the calls did not exceed; 0 without
    /// calls.
    ///
    /// - Parameter percent: 0 to 100.
    func percentile(_ percent: Double) -> Double {
        let wanted = Swift.max(1, (Double(total) * Swift.min(100, percent) / 100).rounded(.up))
        var sum = 0.0
        for (value, count) in counts {
            sum += Double(count)
            if sum >= wanted { return Double(value) / 1e6 }
        }
        return max
    }

    /// For readers of the JSON: min, mean, p50 … p99.99, max.
    var milliseconds: [String: Double] {
        var all = ["min": min, "mean": mean, "max": max]
        for percent in LoadReport.percents {
            all[LoadReport.name(of: percent)] = percentile(percent)
        }
        return all
    }

    /// In milliseconds.
    var mean: Double {
        let sum = counts.reduce(0.0) { $0 + Double($1.value) * Double($1.count) }
        return total == 0 ? 0 : sum / Double(total) / 1e6
    }

    /// In milliseconds.
    var min: Double { Double(counts.first?.value ?? 0) / 1e6 }
    /// In milliseconds.
    var max: Double { Double(counts.last?.value ?? 0) / 1e6 }
}
