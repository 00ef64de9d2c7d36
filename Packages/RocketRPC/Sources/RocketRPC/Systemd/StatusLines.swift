import RocketSystem

/// Makes the status lines of a server: each is about the time since the one before. Any thread.
final class StatusLines: Sendable {
    private let meter: CallMeter
    private let time: any TimeSource
    private let last: Locked<MonotonicTime>

    init(meter: CallMeter, time: any TimeSource = SystemTimeSource()) {
        self.meter = meter
        self.time = time
        last = Locked(time.monotonic())
    }

    /// `1250 calls/s, 12 in flight, p99 3.4 ms, 8 connections`
    func next(connections: Int) -> String {
        let now = time.monotonic()
        let elapsed = last.withLock { last in
            defer { last = now }
            return now - last
        }
        let (durations, inFlight) = meter.take()
        let seconds = max(elapsed / .seconds(1), 0.001)
        let rate = Int((Double(durations.count) / seconds).rounded())
        let p99 = durations.quantile(0.99).map { "p99 \(Self.milliseconds($0)) ms" } ?? "p99 -"
        return "\(rate) calls/s, \(inFlight) in flight, \(p99), \(connections) connections"
    }

    private static func milliseconds(_ microseconds: UInt64) -> String {
        let tenths = (microseconds + 50) / 100
        return microseconds < 1000
            ? "0.\(String(1000 + microseconds).dropFirst())" : "\(tenths / 10).\(tenths % 10)"
    }
}
