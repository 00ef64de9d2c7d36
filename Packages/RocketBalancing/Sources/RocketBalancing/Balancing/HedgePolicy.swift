/// When a second attempt of a call is sent before the first one has ended: "The Tail at Scale" (Dean,
/// Barroso, 2013). A value; any thread.
///
/// Only idempotent calls, only to another endpoint (`Balancer.pick(excluding:)`), only within the
/// `RetryBudget`; what loses is cancelled and ends as `CallOutcome.ignored`.
public struct HedgePolicy: Hashable, Sendable {
    /// The share of a method's calls, from 0 to 1, that end before a hedge is sent. Default 0.95,
    /// which hedges 5 % of the calls.
    public var quantile = 0.95
    /// The shortest time before a hedge. Default 1 ms.
    public var minimumDelay = Duration.milliseconds(1)
    /// How many calls of a method must have ended before any is hedged; at most 2,048. Default 100.
    public var minimumSamples = 100
    /// The most hedges of a call. Default 1.
    public var maxHedges = 1

    /// The defaults.
    public init() {}
}

/// The time after which calls of one method are hedged. A value of 1 KiB per method; owned by the
/// channel.
public struct HedgeDelay: Sendable {
    /// The policy.
    public let policy: HedgePolicy
    private var latencies: RecentLatencies

    /// Without samples.
    public init(_ policy: HedgePolicy = HedgePolicy()) {
        self.policy = policy
        latencies = RecentLatencies(
            quantile: policy.quantile, minimumSamples: policy.minimumSamples)
    }

    /// Records how long a call of the method took that succeeded, from its first attempt on: where
    /// only the winners' own times counted, each hedge would make the next one earlier.
    public mutating func record(nanoseconds: UInt64) {
        latencies.record(nanoseconds: nanoseconds)
    }

    /// How long to wait before the next hedge; nil: none is sent.
    ///
    /// - Parameters:
    ///   - isIdempotent: whether the call may be executed twice.
    ///   - hedges: how many were sent before.
    ///   - remaining: the time left until the deadline; there is no hedge after it.
    public func delay(isIdempotent: Bool, hedges: Int = 0, remaining: Duration) -> Duration? {
        guard isIdempotent, hedges < policy.maxHedges, let quantile = latencies.quantile else {
            return nil
        }
        let delay = max(quantile, policy.minimumDelay)
        return delay < remaining ? delay : nil
    }
}
