public import RocketSystem

/// How many calls a channel may send again, retries and hedges together: a share of its calls in the
/// last ten seconds, so that clients of servers that fail do not multiply the load (Finagle's
/// RetryBudget). A value; owned by the channel.
///
/// Finagle adds `minimumPerSecond` to the share; here the greater of both counts. Otherwise a share of
/// 20 % means 21 % at 1,000 calls per second, and 30 % at 100.
public struct RetryBudget: Sendable {
    /// Retries per call, in percent. Default 20.
    public var percent: Int
    /// Retries per second that a channel with few calls may make. Default 10. A thousand clients
    /// with a call per second each may so send ten times their calls: set it to what the servers can
    /// bear of all clients.
    public var minimumPerSecond: Int

    private static let seconds = 10
    private var calls = RecentCounts<10>()
    /// One second more: the oldest second of `calls` is forgotten as a whole, and no retry may be
    /// forgotten before the calls that paid for it. So in no ten seconds are there more retries than
    /// their share.
    private var retries = RecentCounts<11>()
    /// Retries that were refused since the start.
    public private(set) var refusals: UInt64 = 0

    /// Creates a budget.
    ///
    /// - Parameters: see the properties.
    public init(percent: Int = 20, minimumPerSecond: Int = 10) {
        self.percent = percent
        self.minimumPerSecond = minimumPerSecond
    }

    /// Records a call; not its retries.
    public mutating func began(now: MonotonicTime) { calls.add(now: now) }

    /// Returns whether one more retry or hedge may be sent now, and records it if so.
    public mutating func withdraw(now: MonotonicTime) -> Bool {
        guard balance(now: now) >= 1 else {
            refusals += 1
            return false
        }
        retries.add(now: now)
        return true
    }

    /// How many retries could be sent now.
    public mutating func balance(now: MonotonicTime) -> Int {
        let share = calls.total(now: now) * max(0, percent) / 100
        let allowed = max(share, max(0, minimumPerSecond) * Self.seconds)
        return max(0, allowed - retries.total(now: now))
    }
}

/// Events of the last seconds, in slots of one second; the current one is one of them. A value.
struct RecentCounts<let seconds: Int>: Sendable {
    private var slots: InlineArray<seconds, Int> = .init(repeating: 0)
    private var sum = 0
    private var second: UInt64 = 0

    mutating func add(now: MonotonicTime) {
        advance(now)
        slots[Int(second % UInt64(seconds))] += 1
        sum += 1
    }

    mutating func total(now: MonotonicTime) -> Int {
        advance(now)
        return sum
    }

    private mutating func advance(_ now: MonotonicTime) {
        let current = now.nanoseconds / 1_000_000_000
        guard current > second else { return }
        for passed in 1...min(UInt64(seconds), current - second) {
            let slot = Int((second + passed) % UInt64(seconds))
            sum -= slots[slot]
            slots[slot] = 0
        }
        second = current
    }
}
