import RocketSystem

/// Measures a server's calls for the status line of its service manager: how many, how long, how
/// many at the same time. The outermost observer of a server that runs under systemd; other servers
/// have none. Any thread.
final class CallMeter: RPCCallObserver {
    private let time: any TimeSource
    /// One for each thread, as far as there are enough, so that threads don't share a lock.
    private let shards: [Shard]

    private final class Shard: Sendable {
        let counts = Locked(Counts())
    }

    private struct Counts {
        var durations = LatencyHistogram()
        /// The calls that began on this shard, less those that ended on it. Only the sum over all
        /// shards is the number of calls in flight.
        var inFlight = 0
    }

    init(time: any TimeSource, shards: Int = 16) {
        self.time = time
        self.shards = (0..<max(1, shards)).map { _ in Shard() }
    }

    private var shard: Shard { shards[CurrentThread.ordinal % shards.count] }

    func callBegan(_ call: RPCController) -> (@Sendable (RPCCallEnding) -> Void)? {
        shard.counts.withLock { $0.inFlight += 1 }
        return { [self, start = time.monotonic()] _ in
            let microseconds = (time.monotonic() - start).wholeNanoseconds / 1000
            shard.counts.withLock { counts in
                counts.inFlight -= 1
                counts.durations.add(microseconds)
            }
        }
    }

    /// The durations of the calls that ended since the last time, and the calls in flight now.
    func take() -> (durations: LatencyHistogram, inFlight: Int) {
        var all = LatencyHistogram()
        var inFlight = 0
        for shard in shards {
            shard.counts.withLock { counts in
                all.add(counts.durations)
                counts.durations = LatencyHistogram()
                inFlight += counts.inFlight
            }
        }
        return (all, inFlight)
    }
}

/// Makes the status lines from a meter, each about the time since the last one. Any thread.
final class StatusLines: Sendable {
    private let meter: CallMeter
    private let time: any TimeSource
    private let statistics: @Sendable () -> RPCServerStatistics
    private let last: Locked<(time: MonotonicTime, refused: Int)>

    /// - Parameter statistics: returns the counters of the server.
    init(
        meter: CallMeter, time: any TimeSource = SystemTimeSource(),
        statistics: @escaping @Sendable () -> RPCServerStatistics = { RPCServerStatistics() }
    ) {
        self.meter = meter
        self.time = time
        self.statistics = statistics
        last = Locked((time.monotonic(), 0))
    }

    /// `1250 calls/s, 12 in flight, p99 3.4 ms, 8 connections`, and if calls were refused or a loop is
    /// overloaded, `, 310 refused/s, overloaded`.
    func next(connections: Int) -> String {
        let (now, counts) = (time.monotonic(), statistics())
        let (elapsed, refused) = last.withLock { last in
            defer { last = (now, counts.refusedCalls) }
            return (now - last.time, counts.refusedCalls - last.refused)
        }
        let (durations, inFlight) = meter.take()
        let seconds = max(elapsed / .seconds(1), 0.001)
        let rate = Int((Double(durations.count) / seconds).rounded())
        let p99 = durations.quantile(0.99).map { "p99 \(Self.milliseconds($0)) ms" } ?? "p99 -"
        var line = "\(rate) calls/s, \(inFlight) in flight, \(p99), \(connections) connections"
        if refused > 0 { line += ", \(Int((Double(refused) / seconds).rounded(.up))) refused/s" }
        if counts.overloadedLoops > 0 { line += ", overloaded" }
        return line
    }

    private static func milliseconds(_ microseconds: UInt64) -> String {
        let tenths = (microseconds + 50) / 100
        return microseconds < 1000
            ? "0.\(String(1000 + microseconds).dropFirst())" : "\(tenths / 10).\(tenths % 10)"
    }
}
