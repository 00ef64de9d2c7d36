package import RocketSystem

/// Decides which failed reads are reported: a peer can repeat a read that fails, so at most one per
/// minute is.
package struct ReadFailures {
    private var count = 0
    private var next: MonotonicTime?

    package init() {}

    /// Records a failure, and returns how many there were since the last report if this one is to
    /// be reported.
    package mutating func record(at now: MonotonicTime) -> Int? {
        count += 1
        if let next, now < next { return nil }
        defer { count = 0 }
        next = now + .seconds(60)
        return count
    }
}
