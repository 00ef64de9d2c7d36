import RocketSystem

/// Makes the status lines of a server for its service manager, each about the time since the last one:
/// reads what the loops have counted. Any thread.
final class StatusLines: Sendable {
    private let metrics: ServerMetrics
    private let time: any TimeSource
    private let statistics: @Sendable () -> RPCServerStatistics
    private let last: Locked<(time: MonotonicTime, refused: Int, latency: RPCLatencyHistogram)>

    /// - Parameter statistics: returns the counters of the server.
    init(
        metrics: ServerMetrics, time: any TimeSource = SystemTimeSource(),
        statistics: @escaping @Sendable () -> RPCServerStatistics = { RPCServerStatistics() }
    ) {
        self.metrics = metrics
        self.time = time
        self.statistics = statistics
        last = Locked((time.monotonic(), 0, RPCLatencyHistogram()))
    }

    /// `1250 calls/s, 12 in flight, p99 3.4 ms, 8 connections`, and if calls were refused or a loop is
    /// overloaded, `, 310 refused/s, overloaded`.
    func next(connections: Int) -> String {
        let (now, counts) = (time.monotonic(), statistics())
        let (latency, inFlight) = metrics.readTotal()
        let (elapsed, refused, recent) = last.withLock { last in
            defer { last = (now, counts.refusedCalls, latency) }
            return (
                now - last.time, counts.refusedCalls - last.refused, latency.since(last.latency)
            )
        }
        let seconds = max(elapsed / .seconds(1), 0.001)
        let rate = Int((Double(recent.count) / seconds).rounded())
        let p99 = recent.quantile(0.99).map { "p99 \(Self.milliseconds($0)) ms" } ?? "p99 -"
        var line = "\(rate) calls/s, \(inFlight) in flight, \(p99), \(connections) connections"
        if refused > 0 { line += ", \(Int((Double(refused) / seconds).rounded(.up))) refused/s" }
        if counts.overloadedLoops > 0 { line += ", overloaded" }
        return line
    }

    private static func milliseconds(_ duration: Duration) -> String {
        let microseconds = duration.wholeNanoseconds / 1000
        let tenths = (microseconds + 50) / 100
        return microseconds < 1000
            ? "0.\(String(1000 + microseconds).dropFirst())" : "\(tenths / 10).\(tenths % 10)"
    }
}
