import RocketSystem

/// Counts of durations in fixed buckets, eight for each doubling: what it says of a duration is at
/// most an eighth too high. A value; histograms of the same method can be added and subtracted.
///
/// The first bucket is 128 ns wide, the last one begins at 18 hours.
public struct RPCLatencyHistogram: Hashable, Sendable {
    /// How many durations there are.
    public private(set) var count = 0
    /// Their sum, in nanoseconds.
    public private(set) var sumNanoseconds: UInt64 = 0
    /// By bucket; the empty ones behind the last are missing.
    private var buckets: [UInt64] = []

    /// Creates an empty histogram.
    public init() {}

    /// - Parameter count: returns the count of a bucket.
    init(sumNanoseconds: UInt64, count: (Int) -> UInt64) {
        self.sumNanoseconds = sumNanoseconds
        for bucket in 0..<Self.bucketCount {
            let number = count(bucket)
            if number == 0 { continue }
            grow(to: bucket + 1)
            buckets[bucket] = number
            self.count += Int(clamping: number)
        }
    }

    /// The sum of all durations.
    public var sum: Duration { .nanoseconds(Int64(clamping: sumNanoseconds)) }

    /// Adds one duration; a negative one counts as zero.
    public mutating func record(_ duration: Duration) {
        record(nanoseconds: UInt64(max(0, duration.wholeNanoseconds)))
    }

    mutating func record(nanoseconds: UInt64) {
        let index = Self.bucket(of: nanoseconds)
        grow(to: index + 1)
        buckets[index] &+= 1
        count += 1
        sumNanoseconds &+= nanoseconds
    }

    /// Returns the duration that the given share of all, 0 to 1, has not exceeded: `quantile(0.99)` is
    /// the p99. nil if it is empty.
    public func quantile(_ share: Double) -> Duration? {
        guard count > 0 else { return nil }
        let share = share.isNaN ? 1 : min(1, max(0, share))
        let wanted = max(1, UInt64((Double(count) * share).rounded(.up)))
        var seen: UInt64 = 0
        for (index, number) in buckets.enumerated() {
            seen += number
            if seen >= wanted { return .nanoseconds(Int64(clamping: Self.end(of: index))) }
        }
        return .nanoseconds(Int64(clamping: Self.end(of: buckets.count - 1)))
    }

    /// Returns for each of the bounds, which ascend, how many durations are at most as long: the
    /// buckets of a Prometheus histogram, but the last, whose value is `count`. Durations in the bucket
    /// that a bound is in count to the next bound.
    public func cumulativeCounts(upTo bounds: [Duration]) -> [Int] {
        var (index, seen) = (0, UInt64(0))
        return bounds.map { bound in
            while index < buckets.count,
                .nanoseconds(Int64(clamping: Self.end(of: index))) <= bound
            {
                seen += buckets[index]
                index += 1
            }
            return Int(clamping: seen)
        }
    }

    /// Adds the durations of another histogram.
    public mutating func add(_ other: RPCLatencyHistogram) {
        grow(to: other.buckets.count)
        for (index, number) in other.buckets.enumerated() { buckets[index] &+= number }
        count += other.count
        sumNanoseconds &+= other.sumNanoseconds
    }

    /// Returns what has come since `earlier`, a state of the same histogram: where that has more of
    /// something, nothing has.
    public func since(_ earlier: RPCLatencyHistogram) -> RPCLatencyHistogram {
        var result = self
        for (index, number) in earlier.buckets.enumerated() where index < buckets.count {
            result.buckets[index] -= min(number, buckets[index])
        }
        result.count = max(0, count - earlier.count)
        result.sumNanoseconds -= min(sumNanoseconds, earlier.sumNanoseconds)
        return result
    }

    private mutating func grow(to size: Int) {
        if size <= buckets.count { return }
        buckets.append(contentsOf: repeatElement(0, count: size - buckets.count))
    }
}

// MARK: - The buckets

extension RPCLatencyHistogram {
    /// How many buckets there are.
    static let bucketCount = 296
    private static let unitBits: UInt64 = 7
    private static let stepBits = 3

    /// The bucket of a duration.
    @inline(__always)
    static func bucket(of nanoseconds: UInt64) -> Int {
        let value = nanoseconds &>> unitBits
        if value < 8 { return Int(truncatingIfNeeded: value) }
        let shift = 60 &- value.leadingZeroBitCount
        let index = (shift &+ 1) &* 8 &+ Int(truncatingIfNeeded: value &>> UInt64(shift)) &- 8
        return min(index, bucketCount &- 1)
    }

    /// The longest duration of a bucket, in nanoseconds.
    static func end(of bucket: Int) -> UInt64 {
        let steps = 1 << stepBits
        let units =
            bucket < steps
            ? UInt64(bucket) + 1
            : UInt64(steps + bucket % steps + 1) << UInt64(bucket / steps - 1)
        return (units << unitBits) - 1
    }
}
