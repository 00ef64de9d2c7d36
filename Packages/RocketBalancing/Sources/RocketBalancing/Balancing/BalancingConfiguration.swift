/// The behaviour of a `Balancer`. All of it can be changed while calls run
/// (`Balancer.configuration`).
public struct BalancingConfiguration: Hashable, Sendable {
    /// How endpoints are chosen. Default `p2cPeakEWMA`.
    public var policy = BalancingPolicy.p2cPeakEWMA
    /// The time after which 37 % of a peak of latency is left, and of a share of failures. At least
    /// a microsecond; default 10 s, as Finagle's.
    public var decayTime = Duration.seconds(10)
    /// Which endpoints of a long list are used; nil: all. Default nil, since it needs the client's
    /// id.
    public var subset: Subset?
    /// Whether calls stay in a zone. Default: no.
    public var zonePreference = ZonePreference()
    /// When endpoints are ejected; nil: never.
    public var outliers: OutlierConfiguration? = OutlierConfiguration()
    /// If fewer than this share of endpoints, in percent, can be used and are not ejected, ejections
    /// are ignored: rather all than too few. Envoy's panic threshold; default 50, and 0 turns it off.
    public var panicThresholdPercent = 50
    /// The parameters of `weightedRoundRobin`.
    public var weights = WeightConfiguration()
    /// The bound of `consistentHash`: an endpoint takes no calls of its keys while it has more than
    /// this factor of the mean of calls in flight. At least 1.01; default 1.25.
    public var hashLoadFactor = 1.25

    /// The defaults.
    public init() {}
}
