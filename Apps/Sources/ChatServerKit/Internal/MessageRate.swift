import RocketSystem

/// How many messages a session may still send now: tokens that come back with time, up to a
/// burst. A pure value: the time is handed in.
struct MessageRate {
    private var perSecond: UInt64
    private var burst: UInt64
    /// In billionths of a token, so that no fraction is lost between two looks.
    private var billionths: UInt64
    private var filledAt: MonotonicTime

    private static let token: UInt64 = 1_000_000_000

    /// - Parameters:
    ///   - perSecond: 0: no limit.
    ///   - burst: at least 1.
    init(perSecond: Int, burst: Int, now: MonotonicTime) {
        self.perSecond = UInt64(max(0, perSecond))
        self.burst = UInt64(max(1, burst))
        billionths = self.burst * Self.token
        filledAt = now
    }

    /// Whether there is any limit.
    var isLimited: Bool { perSecond > 0 }

    /// New limits count from now on; tokens in hand stay, as far as the burst allows.
    mutating func change(perSecond: Int, burst: Int, now: MonotonicTime) {
        fill(now)
        self.perSecond = UInt64(max(0, perSecond))
        self.burst = UInt64(max(1, burst))
        billionths = min(billionths, self.burst * Self.token)
    }

    /// Takes one token; false where there is none.
    mutating func take(_ now: MonotonicTime) -> Bool {
        if !isLimited { return true }
        if billionths < Self.token { fill(now) }
        if billionths < Self.token { return false }
        billionths -= Self.token
        return true
    }

    /// How long until a few tokens are back, so that a session is not woken for each of them: a
    /// twentieth of a second's worth or the burst, whichever is less, at least one.
    func wait() -> Duration {
        if !isLimited { return .zero }
        let wanted = max(1, min(burst, perSecond / 20)) * Self.token
        if billionths >= wanted { return .zero }
        return .nanoseconds(Int64(clamping: (wanted - billionths) / perSecond + 1))
    }

    private mutating func fill(_ now: MonotonicTime) {
        if now <= filledAt { return }
        let passed = now.nanoseconds - filledAt.nanoseconds
        filledAt = now
        let (gained, overflow) = passed.multipliedReportingOverflow(by: perSecond)
        let room = burst * Self.token - billionths
        billionths += overflow ? room : min(room, gained)
    }
}
