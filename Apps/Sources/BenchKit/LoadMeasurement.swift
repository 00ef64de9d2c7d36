import Histogram
import RocketSystem

/// The state shared by the callers of a load: the schedule, and the latencies of all calls that are
/// not slow on purpose. Bound to their loop.
final class LoadMeasurement {
    let schedule: RateSchedule
    /// In nanoseconds, with three significant digits.
    // SAFETY: bound to one thread, and nothing else runs inside an access.
    @exclusivity(unchecked) private(set) var latencies = Histogram<UInt64>(
        highestTrackableValue: 60_000_000_000, numberOfSignificantValueDigits: .three)
    private(set) var calls = 0
    /// Slow calls per million. A whole number, so that the sum is exact.
    private let slowPerMillion: Int
    private var slowSum = 0

    init(schedule: RateSchedule, slowPercent: Double) {
        self.schedule = schedule
        slowPerMillion = Int((slowPercent * 10_000).rounded())
    }

    /// Returns whether the next call is a slow one. Distributes slow calls evenly.
    func nextIsSlow() -> Bool {
        slowSum += slowPerMillion
        guard slowSum >= 1_000_000 else { return false }
        slowSum -= 1_000_000
        return true
    }

    func record(_ due: MonotonicTime, _ now: MonotonicTime, _ isSlow: Bool) {
        calls += 1
        if !isSlow { latencies.record(now.nanoseconds - due.nanoseconds) }
    }
}
