public import RocketSystem

/// Chooses the endpoint of each call of one channel, and learns from how calls end. A value without
/// I/O, threads or clocks; owned by the channel, on its loop.
///
/// An endpoint is known by its index, which stays the same as long as the endpoint is listed or has
/// calls in flight, and is then given to another one; indices are small, so they can be used as
/// indices of arrays. A pick allocates nothing and is O(1), or O(log n) for `weightedRoundRobin` and
/// `consistentHash`. What changes rarely (lists, connections, ejections) is O(n) or O(n log n).
///
/// ```
/// if let index = balancer.pick(now: now, excluding: tried) {
///     balancer.began(index)
///     // … the call …
///     balancer.ended(index, began: start, outcome: .success, now: now)
/// }
/// ```
public struct Balancer: Sendable {
    /// What a pick reads of one endpoint; no references, so that reading it counts none.
    struct State: Sendable {
        var latency = PeakEWMA()
        var weight = 1.0
        var inFlight: Int32 = 0
        /// Whether it is in the list; one that is not has calls in flight, or the index is free.
        var isListed = false
        /// Whether the channel can send to it.
        var isUsable = true
        /// Whether it is picked: listed, usable, and not ejected unless there is a panic.
        var isCandidate = false
    }

    /// What else belongs to an endpoint.
    struct Details: Sendable {
        var endpoint: BalancedEndpoint
        var hash: UInt64
        var reported = ReportedWeight()
    }

    /// The behaviour. A change counts from the next pick on; endpoints keep their state. A changed
    /// subset counts from the next `update` on.
    public var configuration: BalancingConfiguration {
        didSet { configurationChanged() }
    }

    var policy: BalancingPolicy
    var decay: ExponentialDecay
    var random: PickSequence
    var states: [State] = []
    var details: [Details?] = []
    /// The list in its order, as indices.
    var listed: [Int32] = []
    /// The endpoints to pick from, in the order of the list: `nearCount` of the own zone, then the
    /// others.
    var candidates: [Int32] = []
    var nearCount = 0
    /// The share of picks from the own zone, of 2^32.
    var nearShare: UInt64 = 1 << 32
    /// The positions of round robin, among near and far candidates.
    var cursors = (near: 0, far: 0)
    /// Round robin begins anywhere among new candidates: otherwise the first calls of all channels
    /// would meet at the same endpoint.
    var isFirstTurn = true
    var schedules = (near: DeadlineSchedule(), far: DeadlineSchedule())
    var scheduledWeights: [Double] = []
    var ring = HashRing()
    var candidateWeight = 0.0
    var totalInFlight: Int32 = 0
    var poolLatencies = RecentLatencies(quantile: 0.99)
    var outliers: OutlierDetection
    /// The next time at which a pick does more than picking.
    var nextMaintenance = MonotonicTime(nanoseconds: 0)
    var nextWeightUpdate = MonotonicTime(nanoseconds: 0)
    var counts = BalancerStatistics()

    /// Creates a balancer without endpoints.
    ///
    /// - Parameters:
    ///   - configuration: the behaviour.
    ///   - generator: one number is drawn, as the seed of what the picks draw; on a loop,
    ///     `Reactor.random`.
    public init(
        _ configuration: BalancingConfiguration = BalancingConfiguration(),
        using generator: inout some RandomNumberGenerator
    ) {
        self.configuration = configuration
        policy = configuration.policy
        decay = ExponentialDecay(timeConstant: configuration.decayTime)
        random = PickSequence(seed: generator.next())
        outliers = OutlierDetection(configuration.outliers ?? OutlierConfiguration())
    }

    /// The counters since the start, and the sizes now.
    public var statistics: BalancerStatistics {
        var statistics = counts
        statistics.listed = listed.count
        statistics.candidates = candidates.count
        statistics.ejected = outliers.ejectedCount
        statistics.ejections = outliers.ejections
        return statistics
    }

    /// The endpoints that can be picked now, as indices; for statistics and connections that should
    /// be opened before they are needed.
    public var pickable: [Int] { candidates.map(Int.init) }

    /// The indices of the list in use, after the choice of a subset, in its order.
    public var indices: [Int] { listed.map(Int.init) }

    /// The endpoint with this index; nil for one that is free.
    public func endpoint(at index: Int) -> BalancedEndpoint? {
        details.indices.contains(index) ? details[index]?.endpoint : nil
    }

    /// The recent latency of an endpoint; zero: unknown.
    public func latency(at index: Int, now: MonotonicTime) -> Duration {
        guard states.indices.contains(index) else { return .zero }
        return .nanoseconds(Int64(states[index].latency.latency(at: now.nanoseconds, decay)))
    }

    /// The calls in flight to an endpoint.
    public func callsInFlight(at index: Int) -> Int {
        states.indices.contains(index) ? Int(states[index].inFlight) : 0
    }

    /// Whether an endpoint is ejected.
    public func isEjected(_ index: Int) -> Bool { outliers.isEjected(index) }
}

/// What a `Balancer` has done, and what it has.
public struct BalancerStatistics: Hashable, Sendable {
    /// Picks that returned an endpoint.
    public var picks: UInt64 = 0
    /// Picks that found none.
    public var failedPicks: UInt64 = 0
    /// Picks while ejections were ignored.
    public var picksInPanic: UInt64 = 0
    /// Picks of an endpoint outside of the own zone, where zones count.
    public var picksOutsideZone: UInt64 = 0
    /// How often an endpoint was ejected.
    public var ejections = 0
    /// Endpoints that are ejected now.
    public var ejected = 0
    /// Endpoints of the list in use.
    public var listed = 0
    /// Endpoints that can be picked now.
    public var candidates = 0
    /// Whether ejections are ignored now.
    public var isPanicking = false
}
