public import RocketSystem

/// Refuses calls that can't meet their deadlines: whose time left is shorter than the time that calls
/// of their method take, and will wait before. Their work would be thrown away. A value per method;
/// owned by a loop.
public struct DeadlineRefusal: Sendable {
    private static let sampleWeight = 1.0 / 16
    private static let minimumSamples = 16
    /// While no call ends, the estimate is forgotten: otherwise a method that was slow once would
    /// refuse all calls with a short deadline for ever, and so never measure that it is fast.
    private static let decay = ExponentialDecay(timeConstant: .seconds(10))

    private var average = 0.0
    private var samples = 0
    private var stamp: UInt64 = 0
    /// Calls that were refused since the start.
    public private(set) var refusals: UInt64 = 0

    /// Without samples: nothing is refused.
    public init() {}

    /// Records how long a handler of the method ran.
    public mutating func record(_ duration: Duration, now: MonotonicTime) {
        let sample = Double(max(0, duration.wholeNanoseconds))
        samples += 1
        average += (sample - average) * max(Self.sampleWeight, 1 / Double(samples))
        stamp = now.nanoseconds
    }

    /// The expected time of a handler; nil while fewer than 16 have ended.
    public func expected(now: MonotonicTime) -> Duration? {
        guard samples >= Self.minimumSamples else { return nil }
        return .nanoseconds(
            Int64(average * Self.decay.factor(from: stamp, to: now.nanoseconds)))
    }

    /// Returns whether a call is worth beginning.
    ///
    /// - Parameters:
    ///   - remaining: the time left until its deadline.
    ///   - queueDelay: how long it will wait until its handler begins; zero when it leaves the queue.
    public mutating func admits(
        remaining: Duration, queueDelay: Duration = .zero, now: MonotonicTime
    ) -> Bool {
        guard let expected = expected(now: now), remaining < queueDelay + expected else {
            return true
        }
        refusals += 1
        return false
    }
}
