import Histogram
import RocketSystem

/// What the callers of a load share: the pace, and the latencies of what was not slow on purpose.
/// Bound to their loop.
final class BenchOrderLogic {
    let pace: RateSchedule
    /// In nanoseconds, to three digits.
    // SAFETY: bound to one thread, and nothing else runs inside an access.
    @exclusivity(unchecked) private(set) var latencies = Histogram<UInt64>(
        highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    private(set) var calls = 0
    /// Of a million calls; whole numbers, so that the sum is exact.
    private let slowParts: Int
    private var slowSum = 0

    init(pace: RateSchedule, slowPercent: Double) {
        self.pace = pace
        slowParts = Int((slowPercent * 10_000).rounded())
    }

    /// Spreads the slow calls evenly.
    func nextIsSlow() -> Bool {
        slowSum += slowParts
        guard slowSum >= 1_000_000 else { return false }
        slowSum -= 1_000_000
        return true
    }

    func record(_ due: MonotonicTime, _ now: MonotonicTime, _ isSlow: Bool) {
        calls += 1
        if !isSlow { latencies.record(now.nanoseconds - due.nanoseconds) }
    }
}
