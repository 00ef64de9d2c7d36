/// Decides which calls of a loop are kept: one of so many, at most 10 a second, and one a second at
/// least; and of others with a reason the first 10 of each second. A value; times are those of the
/// loop's clock in nanoseconds.
struct CallSampler {
    /// The most calls of each reason that are kept in a second.
    static let perSecond: UInt64 = 10
    private static let second: UInt64 = 1_000_000_000

    private let callsPerSample: Int
    private var left: Int
    /// No call before is kept as one of many.
    private var earliest: UInt64 = 0
    /// The next call from here on is.
    private var latest: UInt64
    private var slow = Rate()
    private var failed = Rate()
    private var cancelled = Rate()

    private struct Rate {
        var start: UInt64 = 0
        var count: UInt64 = 0

        mutating func takes(at now: UInt64) -> Bool {
            if now &- start >= CallSampler.second { (start, count) = (now, 0) }
            count += 1
            return count <= CallSampler.perSecond
        }
    }

    /// - Parameter callsPerSample: one of so many calls is kept; 0: none.
    init(callsPerSample: Int) {
        self.callsPerSample = callsPerSample
        left = callsPerSample > 0 ? callsPerSample : .max
        latest = callsPerSample > 0 ? 0 : .max
    }

    /// Returns whether the call that begins now is kept as one of many.
    @inline(__always)
    mutating func takes(at now: UInt64) -> Bool {
        left &-= 1
        if left > 0, now < latest { return false }
        return decide(now)
    }

    @inline(never)
    private mutating func decide(_ now: UInt64) -> Bool {
        if callsPerSample <= 0 {
            left = .max
            return false
        }
        left = callsPerSample
        if now < earliest { return false }
        earliest = now &+ Self.second / Self.perSecond
        latest = now &+ Self.second
        return true
    }

    /// Returns whether a call is kept that has ended now and was slow, failed or was cancelled.
    mutating func takes(_ reason: RPCServerSnapshot.SampledCall.Reason, at now: UInt64) -> Bool {
        switch reason {
        case .slow: slow.takes(at: now)
        case .failed: failed.takes(at: now)
        case .cancelled: cancelled.takes(at: now)
        case .sampled, .traced: true
        }
    }
}
