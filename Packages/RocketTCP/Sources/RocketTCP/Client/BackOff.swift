/// The time to wait before the next attempt: exponential with an upper bound, and with jitter, so
/// that the clients of a failed server don't all reconnect at the same moment. A value; any thread.
///
/// The n-th wait is uniformly distributed from half to all of `min(first * factor^n, most)`.
public struct BackOff: Sendable {
    /// The first wait, before jitter. Default 100 ms.
    public var first: Duration
    /// The factor from each wait to the next. At least 1; default 2.
    public var factor: Double
    /// The longest wait, before jitter. Default 10 s.
    public var most: Duration
    /// Failures since the last success.
    public private(set) var failures = 0

    /// Creates a back-off without failures.
    ///
    /// - Parameters: see the properties.
    public init(
        first: Duration = .milliseconds(100), factor: Double = 2, most: Duration = .seconds(10)
    ) {
        self.first = first
        self.factor = max(1, factor)
        self.most = most
    }

    /// Records a failure and returns the time to wait.
    ///
    /// - Parameter generator: on a loop, `Reactor.random`.
    public mutating func next<Generator: RandomNumberGenerator>(
        using generator: inout Generator
    ) -> Duration {
        var wait = min(first, most)
        for _ in 0..<failures where wait < most { wait = min(wait * factor, most) }
        failures += 1
        // A Double has 53 bits: a number from 0 up to, but not including, 1.
        let jitter = Double(generator.next() >> 11) / Double(1 << 53)
        return wait * (0.5 + jitter / 2)
    }

    /// Records a success: the next failure begins at `first` again.
    public mutating func succeeded() { failures = 0 }
}
