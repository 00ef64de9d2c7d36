/// A channel as of a moment ago: its state, its counters, and the servers that it is connected to. A
/// value.
public struct RPCChannelSnapshot: Hashable, Sendable {
    /// The server's name in errors and logs: the name of a stub, or an address.
    public var target: String
    /// Whether it can send calls.
    public var state: RPCChannelState
    /// All counts since it was created: calls, picks, ejections, retries and their budget.
    public var statistics: RPCChannelStatistics
    /// The servers, in the order of the last list. Empty before the first call, and once the channel is
    /// closed.
    public var endpoints: [RPCEndpointStatus]

    /// Creates a snapshot.
    public init(
        target: String, state: RPCChannelState,
        statistics: RPCChannelStatistics = RPCChannelStatistics(),
        endpoints: [RPCEndpointStatus] = []
    ) {
        self.target = target
        self.state = state
        self.statistics = statistics
        self.endpoints = endpoints
    }
}

extension RPCChannel {
    /// Collects the numbers of the channel, on its loop. Any thread.
    public func snapshot() async -> RPCChannelSnapshot {
        let endpoints = await endpoints()
        return RPCChannelSnapshot(
            target: target, state: state, statistics: statistics, endpoints: endpoints)
    }
}
