/// One quantile of the latest durations, such as the 95th percentile of a method: a histogram with
/// eight buckets per doubling, from 1 µs to 71 minutes, all of whose counts are halved whenever it
/// holds 4,096, so that the latest few thousand decide. A value of 1 KiB; recording allocates
/// nothing.
///
/// The quantile is at most an eighth too high. It is computed again at every 64th duration.
public struct RecentLatencies: Sendable {
    private static let bucketCount = 240
    private static let most: UInt32 = 4_096
    private static let refreshInterval: UInt32 = 64

    private let share: Double
    private let minimumSamples: UInt32
    private var buckets = [UInt32](repeating: 0, count: bucketCount)
    private var total: UInt32 = 0
    private var sinceRefresh: UInt32 = 0
    /// The quantile in microseconds; nil while fewer durations than the minimum were recorded.
    private(set) var microseconds: UInt64?

    /// - Parameters:
    ///   - quantile: the share of durations that are not above it, from 0 to 1.
    ///   - minimumSamples: how many durations must have been recorded; at most 2,048.
    public init(quantile: Double, minimumSamples: Int = 64) {
        share = quantile
        self.minimumSamples = UInt32(min(2_048, max(1, minimumSamples)))
    }

    /// The quantile; nil while too few durations were recorded.
    public var quantile: Duration? { microseconds.map { .microseconds(Int64($0)) } }

    /// Records a duration in nanoseconds.
    public mutating func record(nanoseconds: UInt64) {
        buckets[Self.index(of: nanoseconds / 1_000)] += 1
        total += 1
        sinceRefresh += 1
        if total >= Self.most { halve() }
        if sinceRefresh >= Self.refreshInterval || microseconds == nil { refresh() }
    }

    private mutating func halve() {
        total = 0
        for index in buckets.indices {
            buckets[index] /= 2
            total += buckets[index]
        }
    }

    private mutating func refresh() {
        sinceRefresh = 0
        guard total >= minimumSamples else { return }
        let wanted = UInt32(max(1, (Double(total) * share).rounded(.up)))
        var seen: UInt32 = 0
        for (index, number) in buckets.enumerated() {
            seen += number
            if seen >= wanted {
                microseconds = Self.upperEnd(of: index)
                return
            }
        }
    }

    private static func index(of value: UInt64) -> Int {
        guard value >= 8 else { return Int(value) }
        let value = min(value, 0xFFFF_FFFF)
        let exponent = 63 - value.leadingZeroBitCount
        return (exponent - 2) * 8 + Int(value >> UInt64(exponent - 3)) - 8
    }

    private static func upperEnd(of index: Int) -> UInt64 {
        guard index >= 8 else { return UInt64(index) }
        return (UInt64(8 + index % 8 + 1) << UInt64(index / 8 - 1)) - 1
    }
}
