/// A histogram of durations with eight buckets per doubling, so that a quantile is at most an eighth
/// too high. A value.
struct LatencyHistogram {
    private var buckets: [UInt32] = []
    private(set) var count = 0

    private static let stepBits = 3

    /// Adds a duration in microseconds; a negative one counts as 0.
    mutating func add(_ microseconds: Int64) {
        let index = Self.index(of: UInt64(max(0, microseconds)))
        if index >= buckets.count {
            buckets.append(contentsOf: repeatElement(0, count: index + 1 - buckets.count))
        }
        buckets[index] &+= 1
        count += 1
    }

    mutating func add(_ other: LatencyHistogram) {
        if other.buckets.count > buckets.count {
            buckets.append(
                contentsOf: repeatElement(0, count: other.buckets.count - buckets.count))
        }
        for (index, number) in other.buckets.enumerated() { buckets[index] &+= number }
        count += other.count
    }

    /// The duration in microseconds that the given share (0 to 1) of all did not exceed; nil for an
    /// empty histogram.
    func quantile(_ share: Double) -> UInt64? {
        guard count > 0 else { return nil }
        let wanted = max(1, Int((Double(count) * share).rounded(.up)))
        var seen = 0
        for (index, number) in buckets.enumerated() {
            seen += Int(number)
            if seen >= wanted { return Self.upperEnd(of: index) }
        }
        return Self.upperEnd(of: buckets.count - 1)
    }

    private static func index(of value: UInt64) -> Int {
        let steps = 1 << stepBits
        guard value >= steps else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        let step = Int(value >> UInt64(exponent - stepBits)) - steps
        return (exponent - stepBits + 1) * steps + step
    }

    private static func upperEnd(of index: Int) -> UInt64 {
        let steps = 1 << stepBits
        guard index >= steps else { return UInt64(index) }
        let shift = UInt64(index / steps - 1)
        return (UInt64(steps + index % steps + 1) << shift) - 1
    }
}
