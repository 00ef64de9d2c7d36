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
        let place: Int
        if let known = places[key] {
            place = known
            buckets[place].isRecent = true
        } else {
            place = insert(key)
        }
        let fullAt = max(buckets[place].fullAt, now.nanoseconds) + interval
        guard fullAt - now.nanoseconds <= depth else {
            refusals += 1
            return false
        }
        buckets[place].fullAt = fullAt
        return true
    }

    /// How long the key has to wait until its next call is admitted; zero: not at all.
    public func delay(_ key: String, now: MonotonicTime) -> Duration {
        guard let place = places[key] else { return .zero }
        let fullAt = max(buckets[place].fullAt, now.nanoseconds) + interval
        let ahead = fullAt - now.nanoseconds
        return ahead <= depth ? .zero : .nanoseconds(Int64(clamping: ahead - depth))
    }

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
