/// How a channel chooses the endpoint of a call. The raw values are the words of a configuration.
public enum BalancingPolicy: String, Hashable, Sendable, CaseIterable {
    /// The first endpoint of the list that can be used, as gRPC's pick_first: all calls go to one
    /// server until it fails.
    case pickFirst = "pick_first"
    /// One after the other.
    case roundRobin = "round_robin"
    /// Of two random endpoints the one with the lower cost, which is its recent latency times its
    /// calls in flight: Finagle's `p2cPeakEwma`. The default for more than one endpoint.
    case p2cPeakEWMA = "p2c"
    /// Of two random endpoints the one with fewer calls in flight. An endpoint that fails at once,
    /// or one that is slow at low load, gets its full share: prefer `p2cPeakEWMA`.
    case leastInFlight = "least_in_flight"
    /// In turn, in proportion to the weights that the endpoints report: gRFC A58.
    case weightedRoundRobin = "weighted"
    /// Calls with equal keys go to the same endpoint, as long as that one does not have more than
    /// its share of the load: "Consistent Hashing with Bounded Loads" (Mirrokni, Thorup,
    /// Zadimoghaddam, 2016).
    case consistentHash = "consistent_hash"
}
