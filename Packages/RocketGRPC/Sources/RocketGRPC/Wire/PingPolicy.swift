import RocketSystem

/// Counts the pings of a client that come too often, after gRFC A8: three of them end the connection.
/// A value; one per connection.
struct PingPolicy {
    /// How often a client with calls may ping.
    let minInterval: Duration
    /// Whether a client without calls may ping as often.
    let permitsWithoutCalls: Bool
    private var lastPing: MonotonicTime?
    private var strikes = 0

    /// So many pings too early are tolerated.
    static let maxStrikes = 2
    /// How often a client without calls may ping, unless that is permitted.
    static let intervalWithoutCalls = Duration.seconds(7200)

    init(minInterval: Duration, permitsWithoutCalls: Bool) {
        self.minInterval = minInterval
        self.permitsWithoutCalls = permitsWithoutCalls
    }

    /// This side has sent headers or data: the client may ask at once whether they have arrived.
    mutating func sentData() {
        if lastPing == nil { return }
        lastPing = nil
        strikes = 0
    }

    /// Records a ping.
    ///
    /// - Returns: whether it was one too many.
    mutating func received(at now: MonotonicTime, hasCalls: Bool) -> Bool {
        let least = hasCalls || permitsWithoutCalls ? minInterval : Self.intervalWithoutCalls
        defer { lastPing = now }
        if let lastPing, now < lastPing + least { strikes += 1 }
        return strikes > Self.maxStrikes
    }
}
