import Metrics
import Synchronization

/// A counter of whole numbers: one atomic addition for each change. Any thread.
final class CounterCell: CounterHandler {
    private let count = Atomic<UInt64>(0)

    var value: Double { Double(count.load(ordering: .relaxed)) }

    /// Adds; negative amounts are ignored, for a counter only rises.
    func increment(by amount: Int64) {
        guard let amount = UInt64(exactly: amount) else { return }
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() { count.store(0, ordering: .relaxed) }
}

/// A counter of fractions. Any thread.
final class FractionCounterCell: FloatingPointCounterHandler {
    private let sum = AtomicDouble()

    var value: Double { sum.value }

    /// Adds; negative amounts and those that are no number are ignored.
    func increment(by amount: Double) { if amount >= 0, amount.isFinite { sum.add(amount) } }

    func reset() { sum.set(0) }
}

/// A gauge: a meter, or a recorder that does not aggregate. Any thread.
final class GaugeCell: MeterHandler, RecorderHandler {
    private let number = AtomicDouble()

    var value: Double { number.value }

    func set(_ value: Int64) { number.set(Double(value)) }
    func set(_ value: Double) { number.set(value) }
    func increment(by amount: Double) { number.add(amount) }
    func decrement(by amount: Double) { number.add(-amount) }
    func record(_ value: Int64) { number.set(Double(value)) }
    func record(_ value: Double) { number.set(value) }
}

/// A histogram: a timer in seconds, or a recorder that aggregates, in its own unit. Recording takes two
/// atomic changes. Any thread.
final class HistogramCell: TimerHandler, RecorderHandler {
    /// Rising; the values up to each are counted.
    let bounds: [Double]
    /// One more than the bounds: the last has what is above them.
    private let buckets: [Bucket]
    private let sum = AtomicDouble()

    private final class Bucket: Sendable {
        let count = Atomic<Int>(0)
    }

    init(bounds: [Double]) {
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Bucket() }
    }

    /// Times of 0.1 ms to 10 s, as `rocket_server_handling_seconds` has them.
    static let seconds = AdminView.bounds.map { Double($0.nanoseconds) / 1e9 }
    /// Three for each power of ten from 1 to 100,000, for numbers of any unit.
    static let numbers: [Double] = [
        1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000,
    ]

    /// Negative ones count as 0: a clock was set back.
    func recordNanoseconds(_ duration: Int64) { record(Double(max(0, duration)) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    /// Ignores what is no number.
    func record(_ value: Double) {
        guard value.isFinite else { return }
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        buckets[index].count.wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    /// What was recorded: counts up to each bound, of all, and the sum.
    func values() -> (cumulative: [Int], count: Int, sum: Double) {
        var total = 0
        var cumulative: [Int] = []
        for bucket in buckets {
            total += bucket.count.load(ordering: .relaxed)
            cumulative.append(total)
        }
        cumulative.removeLast()
        return (cumulative, total, sum.value)
    }
}

/// A number that threads change without a lock.
private struct AtomicDouble: ~Copyable, Sendable {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var old = bits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (exchanged, found) = bits.weakCompareExchange(
                expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = found
        }
    }
}
