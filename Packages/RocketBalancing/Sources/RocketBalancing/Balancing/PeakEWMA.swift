import RocketSystem

/// The recent latency of one endpoint: an average that takes over a higher sample at once and forgets
/// it exponentially (Finagle's PeakEwma). Beside it the share of calls that failed, and what both
/// make a call cost. A value of 24 bytes.
///
/// While no call ends, both decay, so that an endpoint that was slow or failing is tried again: one
/// call is enough to find that it still is.
struct PeakEWMA: Hashable, Sendable {
    /// The average in nanoseconds as of `stamp`; 0: unknown.
    private var average = 0.0
    private var stamp: UInt64 = 0
    /// The share of failed calls as of `stamp`, 0 to 1.
    private var failures = 0.0

    /// The weight of one call in the share of failed calls: an endpoint that begins to fail has
    /// lost three quarters of its success rate after 22 calls.
    private static let failureWeight = 1.0 / 16
    /// The cost of an endpoint without a known latency that has a call in flight (11 days): the
    /// first call goes there at once, no other does until it has ended. Finagle's penalty is half of
    /// the largest Double, which leaves no digits for the calls in flight.
    private static let penalty = 1e15
    /// The smallest success rate that counts: the cost grows at most by 100.
    private static let leastSuccess = 0.01

    /// An unknown latency.
    init() {}

    /// Records the end of a call.
    ///
    /// - Parameters:
    ///   - latency: how long it took, in nanoseconds. For a failed call the caller passes the worst
    ///     of its own time and the pool's 99th percentile: a failure that is fast must not attract.
    ///   - failed: whether it failed or was refused.
    mutating func observe(
        latency: Double, failed: Bool, at now: MonotonicTime, decay: ExponentialDecay
    ) {
        let kept = decay.factor(from: stamp, to: now.nanoseconds)
        average = latency >= average ? latency : average * kept + latency * (1 - kept)
        failures *= kept
        failures += ((failed ? 1 : 0) - failures) * Self.failureWeight
        stamp = max(stamp, now.nanoseconds)
    }

    /// The cost of one more call: the time until a success is expected, latency × (calls in flight
    /// + 1) ÷ success rate, per weight.
    @inline(__always)
    func cost(
        inFlight: Int32, weight: Double, at now: MonotonicTime, decay: ExponentialDecay
    ) -> Double {
        let kept = decay.factor(from: stamp, to: now.nanoseconds)
        var latency = average * kept
        if latency == 0 && inFlight > 0 { latency = Self.penalty }
        let success = max(Self.leastSuccess, 1 - failures * kept)
        return latency * Double(inFlight + 1) / (weight * success)
    }

    /// The average in nanoseconds, as it has decayed by now.
    func latency(at nanoseconds: UInt64, _ decay: ExponentialDecay) -> Double {
        average * decay.factor(from: stamp, to: nanoseconds)
    }
}
