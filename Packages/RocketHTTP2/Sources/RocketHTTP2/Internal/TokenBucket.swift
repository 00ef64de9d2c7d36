import RocketSystem

/// How often something may still happen: an `HTTP2Rate` and what is left of it. A pure value; the
/// caller passes the time.
struct TokenBucket {
    private let rate: HTTP2Rate
    private(set) var tokens: Int
    private var filled: MonotonicTime

    init(_ rate: HTTP2Rate, now: MonotonicTime) {
        self.rate = rate
        tokens = rate.burst
        filled = now
    }

    /// Takes one token; returns false if there is none.
    mutating func take(now: MonotonicTime) -> Bool {
        if tokens == 0 { fill(now) }
        if tokens == 0 { return false }
        tokens -= 1
        return true
    }

    /// Returns tokens, up to the burst.
    mutating func give(_ count: Int) { tokens = min(rate.burst, tokens + count) }

    /// Adds what the time since the last addition has brought.
    private mutating func fill(_ now: MonotonicTime) {
        if now <= filled || rate.perSecond == 0 { return }
        let second: UInt64 = 1_000_000_000
        let elapsed = now.nanoseconds - filled.nanoseconds
        let (product, overflow) = elapsed.multipliedReportingOverflow(by: UInt64(rate.perSecond))
        let gained = overflow ? UInt64(rate.burst) : product / second
        if gained == 0 { return }
        tokens = gained > UInt64(rate.burst) ? rate.burst : min(rate.burst, tokens + Int(gained))
        // A part of a token is not lost.
        filled =
            tokens == rate.burst
            ? now : filled.later(by: gained * second / UInt64(rate.perSecond))
    }
}
