import RocketSystem

/// The budget of one kind of line: at most `budget` lines per interval, the rest is counted. A value
/// without a clock; `now` is passed in.
struct LogThrottle: Sendable {
    /// The largest number of lines per interval, 1 or more.
    let budget: Int
    /// The interval, which begins with a line.
    let interval: Duration
    private var end: MonotonicTime?
    private var written = 0
    /// Lines left out in the current interval, and in earlier ones that are not reported yet.
    private var leftOut: (now: UInt64, before: UInt64) = (0, 0)

    init(budget: Int, interval: Duration) {
        self.budget = budget
        self.interval = interval
    }

    /// Returns whether a line is written now; counts it otherwise.
    mutating func admits(at now: MonotonicTime) -> Bool {
        if endsBy(now) {
            end = now + interval
            written = 0
            leftOut = (0, leftOut.before + leftOut.now)
        }
        guard written < budget else {
            leftOut.now += 1
            return false
        }
        written += 1
        return true
    }

    /// Returns the number of lines left out in intervals that have ended, each once.
    mutating func takeLeftOut(at now: MonotonicTime) -> UInt64 {
        let isOver = endsBy(now)
        defer { leftOut = (isOver ? 0 : leftOut.now, 0) }
        return leftOut.before + (isOver ? leftOut.now : 0)
    }

    private func endsBy(_ now: MonotonicTime) -> Bool { end.map { now >= $0 } ?? true }
}

/// The throttles of a log system by kind of line. Any thread.
final class LogThrottles: Sendable {
    /// One kind of line.
    struct Kind: Hashable, Sendable {
        let stream: LogStream
        let level: LogLevel
        let message: String
    }

    private let throttles = Locked<[Kind: LogThrottle]>([:])
    private let budget: Int
    private let interval: Duration
    private let time: any TimeSource

    init(budget: Int, interval: Duration, time: any TimeSource) {
        self.budget = budget
        self.interval = interval
        self.time = time
    }

    func admits(_ kind: Kind) -> Bool {
        let now = time.monotonic()
        return throttles.withLock {
            $0[kind, default: LogThrottle(budget: budget, interval: interval)].admits(at: now)
        }
    }

    /// Returns the kinds with lines that were left out in an interval that has ended, or in any
    /// interval when `all` is set, with their numbers.
    func takeLeftOut(all: Bool) -> [(kind: Kind, count: UInt64)] {
        let now = all ? MonotonicTime.distantFuture : time.monotonic()
        return throttles.withLock { throttles in
            throttles.keys.compactMap { kind in
                let count = throttles[kind]?.takeLeftOut(at: now) ?? 0
                return count > 0 ? (kind, count) : nil
            }
        }
    }
}

extension RocketLogger {
    /// Returns this logger when a line of the kind `message` at `level` may be written now, nil when
    /// its level is off or its kind has used up its budget. For lines that a peer can cause at will:
    ///
    /// ```swift
    /// logger.throttled(.error, "bad frame")?.error("bad frame") { $0.add("peer", peer) }
    /// ```
    ///
    /// Each kind has its own budget (`LogConfiguration.throttleBudget` per `throttleInterval`), which
    /// all copies of the logger share. After the interval a line `more lines like this were left
    /// out` tells the kind (`like`) and the number (`left_out`). Lines left out are not evaluated.
    public func throttled(_ level: LogLevel, _ message: StaticString) -> RocketLogger? {
        guard isEnabled(level), let writer = filter.writer else { return nil }
        let kind = LogThrottles.Kind(stream: stream, level: level, message: "\(message)")
        return writer.throttles.admits(kind) ? self : nil
    }
}
