public import RocketSystem

/// A limit on calls per second for each key, such as the identity of a caller: a token bucket per key
/// for a bounded number of keys. A value; owned by a loop.
///
/// A bucket is one time, as in ATM's generic cell rate algorithm: the moment at which it will be full
/// again. So it needs no refill, and an idle key no work. Without a free place, a key gives up its
/// place that has not been used since the clock hand last passed it (second chance); it begins with a
/// full bucket when it returns, so whoever can use more than `maxKeys` identities is not limited:
/// use keys that callers can't choose.
public struct RateLimiter: Sendable {
    private struct Bucket {
        var key: String
        var fullAt: UInt64
        var isRecent: Bool

        mutating func admits(_ now: UInt64, _ interval: UInt64, _ depth: UInt64) -> Bool {
            // The first call of a key is admitted, and does not count as use.
            isRecent = fullAt > 0
            let next = max(fullAt, now) + interval
            guard next - now <= depth else { return false }
            fullAt = next
            return true
        }
    }

    private let interval: UInt64
    private let depth: UInt64
    private let maxKeys: Int
    private var places: [String: Int] = [:]
    private var buckets: [Bucket] = []
    private var hand = 0
    /// Calls that were refused since the start.
    public private(set) var refusals: UInt64 = 0

    /// Creates a limiter without keys.
    ///
    /// - Parameters:
    ///   - callsPerSecond: the rate of each key, from 0.001 to 1,000,000,000.
    ///   - burst: the calls that a key may make at once, from 1 to 1,048,576.
    ///   - maxKeys: the most keys that are remembered; at least 1. Default 10,000.
    public init(callsPerSecond: Double, burst: Int, maxKeys: Int = 10_000) {
        let rate = callsPerSecond.isNaN ? 1e9 : min(1e9, max(0.001, callsPerSecond))
        interval = UInt64(1e9 / rate)
        depth = interval * UInt64(max(1, min(burst, 1 << 20)))
        self.maxKeys = max(1, maxKeys)
    }

    /// The keys that are remembered.
    public var keyCount: Int { buckets.count }

    /// Returns whether a call of the key may begin now, and takes a token if so.
    public mutating func admits(_ key: String, now: MonotonicTime) -> Bool {
        var place = -1
        return admits(key, at: &place, now: now)
    }

    /// The same for a caller that keeps where the key's bucket is, so that it is not looked up for
    /// each call.
    ///
    /// - Parameter place: what the last call with this key has set; at first, or after a call with
    ///   another key or limiter, any number: it is checked.
    public mutating func admits(_ key: String, at place: inout Int, now: MonotonicTime) -> Bool {
        if !buckets.indices.contains(place) || buckets[place].key != key { place = find(key) }
        if buckets[place].admits(now.nanoseconds, interval, depth) { return true }
        refusals += 1
        return false
    }

    /// How long the key has to wait until its next call is admitted; zero: not at all.
    public func delay(_ key: String, now: MonotonicTime) -> Duration {
        guard let place = places[key] else { return .zero }
        let fullAt = max(buckets[place].fullAt, now.nanoseconds) + interval
        let ahead = fullAt - now.nanoseconds
        return ahead <= depth ? .zero : .nanoseconds(Int64(clamping: ahead - depth))
    }

    private mutating func find(_ key: String) -> Int { places[key] ?? insert(key) }

    private mutating func insert(_ key: String) -> Int {
        let new = Bucket(key: key, fullAt: 0, isRecent: false)
        guard buckets.count >= maxKeys else {
            buckets.append(new)
            places[key] = buckets.count - 1
            return buckets.count - 1
        }
        while buckets[hand].isRecent {
            buckets[hand].isRecent = false
            hand = (hand + 1) % maxKeys
        }
        let place = hand
        places[buckets[place].key] = nil
        buckets[place] = new
        places[key] = place
        hand = (hand + 1) % maxKeys
        return place
    }
}
