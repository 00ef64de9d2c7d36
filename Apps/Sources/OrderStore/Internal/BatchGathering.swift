import RocketSystem

/// When the writer takes its next batch after a commit. A value.
///
/// Callers whose orders were committed send their next ones at once. With the first of these, and those
/// that have come during the commit, the next transaction would have half of the orders that there are,
/// and the one behind it the other half: two waits for the disk in place of one. So the writer waits,
/// in eighths of the time of the commit, while more orders come in each than have come in an eighth of the
/// commit: those of callers that it has resumed. No longer than the commit took.
struct BatchGathering {
    /// How many orders are expected; zero: the next batch is taken at once.
    private var expected = 0
    /// The time of a part of the wait, and how many orders must come in it.
    private var part = Duration.zero
    private var least = 0
    private var deadline = MonotonicTime(nanoseconds: 0)
    /// The orders that waited when the part began; nil: none has begun.
    private var before: Int?

    /// A wait for less is not shorter than this.
    private static let shortest = Duration.microseconds(100)
    /// Callers that need longer do not return at once.
    private static let longest = Duration.milliseconds(5)

    /// Whether there may be a reason to wait.
    var isWaiting: Bool { expected > 0 }

    /// A batch was committed, and its callers are about to be resumed.
    ///
    /// - Parameters:
    ///   - orders: those of the batch.
    ///   - waiting: orders that have come since `began`.
    ///   - maxBatch: orders of a batch at most: when so many wait, more are not expected.
    mutating func committed(
        _ orders: Int, waiting: Int, maxBatch: Int, began: MonotonicTime, at now: MonotonicTime
    ) {
        let time = now - began
        expected = time < Self.shortest ? 0 : min(orders + waiting, maxBatch)
        part = min(max(time / 8, Self.shortest / 2), Self.longest / 8)
        least = time > .zero ? 1 + Int(Double(waiting) * (part / time)) : 1
        deadline = now + min(time, Self.longest)
        before = nil
    }

    /// Returns the time at which this is to be called again; nil: the batch is to be taken now.
    ///
    /// - Parameter waiting: orders that wait.
    mutating func next(waiting: Int, at now: MonotonicTime) -> MonotonicTime? {
        // The worker sleeps until one comes.
        if waiting == 0 { return nil }
        if waiting >= expected || now >= deadline || waiting - (before ?? -least) < least {
            expected = 0
            return nil
        }
        before = waiting
        return min(deadline, now + part)
    }
}
