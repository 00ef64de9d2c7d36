/// One call of a scenario, with all that its client did to make it succeed. A value.
struct CallRecord: Sendable {
    /// The time of the world in seconds.
    let began: Double
    /// In seconds.
    let took: Double
    let client: Int
    /// Who has answered; nil: it has failed.
    let server: Int?
    /// How often its client has made it.
    let tries: Int
}

/// The calls of a scenario, or of a part of it. A value.
struct CallRecords: Sendable {
    let calls: [CallRecord]
    /// What a call took that failed, at least.
    let timeout: Double

    init(_ calls: [CallRecord], timeout: Double) {
        self.calls = calls
        self.timeout = timeout
    }

    /// Those that began between two times, in seconds.
    func from(_ start: Double, to end: Double = .infinity) -> CallRecords {
        CallRecords(calls.filter { $0.began >= start && $0.began < end }, timeout: timeout)
    }

    var succeeded: Int { calls.count { $0.server != nil } }
    var failed: Int { calls.count - succeeded }
    /// 1 where there was none.
    var successRate: Double {
        calls.isEmpty ? 1 : Double(succeeded) / Double(calls.count)
    }

    /// A quantile of how long they took, in milliseconds. One that has failed counts as one that took
    /// its whole time.
    func quantile(_ quantile: Double) -> Double {
        let times = calls.map { $0.server == nil ? max(timeout, $0.took) : $0.took }.sorted()
        if times.isEmpty { return 0 }
        return times[min(times.count - 1, Int(Double(times.count) * quantile))] * 1_000
    }

    /// The calls per second that succeeded between two times, by when they ended.
    func goodput(from start: Double, to end: Double) -> Double {
        let ended = calls.count {
            $0.server != nil && $0.began + $0.took >= start && $0.began + $0.took < end
        }
        return Double(ended) / (end - start)
    }

    /// The same for each interval from 0 to `end`.
    func goodput(each interval: Double, to end: Double) -> [Double] {
        series(each: interval, to: end) { goodput(from: $0, to: $1) }
    }

    /// The 99th percentile of each interval in which calls began.
    func slowest(each interval: Double, to end: Double) -> [Double] {
        series(each: interval, to: end) { from($0, to: $1).quantile(0.99) }
    }

    private func series(
        each interval: Double, to end: Double, _ value: (Double, Double) -> Double
    ) -> [Double] {
        (0..<Int(end / interval)).map {
            value(Double($0) * interval, Double($0 + 1) * interval)
        }
    }

    /// The successes of the client with the fewest, in relation to the mean.
    func leastShare(of clients: Int) -> Double {
        var counts = Array(repeating: 0, count: clients)
        for call in calls where call.server != nil { counts[call.client] += 1 }
        return Double(counts.min() ?? 0) * Double(clients) / Double(max(1, succeeded))
    }
}

extension [Int] {
    /// The smallest and the largest in relation to the mean; 1 without any.
    var spread: (least: Double, most: Double) {
        let sum = reduce(0, +)
        if sum == 0 { return (1, 1) }
        let mean = Double(sum) / Double(count)
        return (Double(self.min() ?? 0) / mean, Double(self.max() ?? 0) / mean)
    }

    /// What part of the sum one of them is; 0 of nothing.
    func share(of index: Int) -> Double {
        let sum = reduce(0, +)
        return sum == 0 ? 0 : Double(self[index]) / Double(sum)
    }
}
