/// How long to wait before trying again: doubling with a bound, spread at random so that many
/// clients of one failed server don't come back at the same moment. A value; any thread.
///
/// The n-th wait lies evenly between half and all of `first * factor^n`, at most `most`.
public struct BackOff: Sendable {
    /// The first wait before spreading. Default 100 ms.
    public var first: Duration
    /// What a wait is multiplied by after each failure, at least 1. Default 2.
    public var factor: Double
    /// The longest wait. Default 10 s.
    public var most: Duration
    /// Failures since the last success.
    public private(set) var failures = 0

    /// - Parameters: see the properties.
    public init(
        first: Duration = .milliseconds(100), factor: Double = 2, most: Duration = .seconds(10)
    ) {
        self.first = first
        self.factor = max(1, factor)
        self.most = most
    }

    /// One more failure: how long to wait now.
    public mutating func next<Generator: RandomNumberGenerator>(
        using generator: inout Generator
    ) -> Duration {
        var wait = min(first, most)
        for _ in 0..<failures where wait < most { wait = min(wait * factor, most) }
        failures += 1
        // 53 random bits are what a Double holds: from 0 up to, but not including, 1.
        let spread = Double(generator.next() >> 11) / Double(1 << 53)
        return wait * (0.5 + spread / 2)
    }

    /// One more failure: how long to wait now.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// It worked: the next failure begins again at `first`.
    public mutating func succeeded() { failures = 0 }
}
