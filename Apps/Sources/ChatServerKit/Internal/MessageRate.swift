import RocketSystem

/// A token bucket: how many messages a session may still send. A pure value; the caller passes the
/// time.
struct MessageRate {
    private var perSecond: UInt64
    private var burst: UInt64
    /// Tokens in billionths, so that no fraction is lost between two refills.
    private var billionths: UInt64
    private var refilledAt: MonotonicTime

    private static let token: UInt64 = 1_000_000_000

    /// - Parameters:
    ///   - perSecond: 0 or less: no limit.
    ///   - burst: at least 1.
    init(perSecond: Int, burst: Int, now: MonotonicTime) {
        self.perSecond = UInt64(max(0, perSecond))
        self.burst = UInt64(max(1, burst))
        billionths = self.burst * Self.token
        refilledAt = now
    }

    /// Whether there is a limit.
    var isLimited: Bool { perSecond > 0 }

    /// Applies new limits from now on. Tokens in the bucket stay, as far as the burst allows.
    mutating func change(perSecond: Int, burst: Int, now: MonotonicTime) {
        refill(now)
        self.perSecond = UInt64(max(0, perSecond))
        self.burst = UInt64(max(1, burst))
        billionths = min(billionths, self.burst * Self.token)
    }

    /// Takes one token; returns false when there is none.
    mutating func take(_ now: MonotonicTime) -> Bool {
        if !isLimited { return true }
        if billionths < Self.token { refill(now) }
        if billionths < Self.token { return false }
        billionths -= Self.token
        return true
    }

    /// Returns how long to wait for a few tokens, so that a session is not woken for each of them:
    /// a twentieth of a second's worth or the burst, whichever is less, at least one.
    func wait() -> Duration {
        if !isLimited { return .zero }
        let needed = max(1, min(burst, perSecond / 20)) * Self.token
        if billionths >= needed { return .zero }
        return .nanoseconds(Int64(clamping: (needed - billionths) / perSecond + 1))
    }

    private mutating func refill(_ now: MonotonicTime) {
        if now <= refilledAt { return }
        let passed = now.nanoseconds - refilledAt.nanoseconds
        refilledAt = now
        let (gained, overflow) = passed.multipliedReportingOverflow(by: perSecond)
        let room = burst * Self.token - billionths
        billionths += overflow ? room : min(room, gained)
    }
}
