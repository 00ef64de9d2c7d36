public import RocketSystem

/// Lists, connections, ejections: what changes which endpoints can be picked.
extension Balancer {
    /// Takes over a new list. Endpoints that stay, by their identity, keep their index and their
    /// state; new ones count as usable. Of equal identities the first counts. Those that are gone get
    /// no more calls, and their indices are free once their calls have ended.
    ///
    /// An empty list leaves nothing to pick: whoever wants to keep the last good one does not pass it.
    public mutating func update(_ endpoints: [BalancedEndpoint]) {
        let chosen = configuration.subset?.indices(of: endpoints) ?? Array(endpoints.indices)
        var known: [String: Int] = [:]
        for (index, details) in details.enumerated() {
            if let details { known[details.endpoint.identity] = index }
        }
        let before = listed
        for index in before { states[Int(index)].isListed = false }
        listed.removeAll(keepingCapacity: true)
        for endpoint in chosen.lazy.map({ endpoints[$0] }) {
            let index = known[endpoint.identity] ?? freeIndex()
            if states[index].isListed { continue }
            known[endpoint.identity] = index
            if details[index] == nil {
                states[index] = State()
                details[index] = Details(
                    endpoint: endpoint, hash: StableHash.of(endpoint.identity))
            }
            details[index]?.endpoint = endpoint
            states[index].weight = endpoint.boundedWeight
            states[index].isListed = true
            listed.append(Int32(index))
        }
        let previous = Set(before)
        for index in listed where !previous.contains(index) { outliers.add(Int(index)) }
        for index in before where !states[Int(index)].isListed {
            outliers.remove(Int(index))
            freeIfUnused(Int(index))
        }
        rebuildRing()
        rebuildCandidates()
    }

    /// The index of a listed endpoint; O(n).
    public func index(of identity: String) -> Int? {
        details.indices.first {
            states[$0].isListed && details[$0]?.endpoint.identity == identity
        }
    }

    /// Sets whether the channel can send to an endpoint: false while connecting to it fails.
    public mutating func setUsable(_ isUsable: Bool, at index: Int) {
        guard states.indices.contains(index), states[index].isUsable != isUsable else { return }
        states[index].isUsable = isUsable
        if isUsable { details[index]?.reported.restart() }
        if states[index].isListed { rebuildCandidates() }
    }

    /// Whether load reports have an effect.
    public var usesLoadReports: Bool { policy == .weightedRoundRobin }

    /// Records a load report of an endpoint, for `weightedRoundRobin`.
    public mutating func report(_ report: LoadReport, at index: Int, now: MonotonicTime) {
        guard details.indices.contains(index) else { return }
        details[index]?.reported.update(report, now: now, configuration.weights)
    }

    mutating func configurationChanged() {
        policy = configuration.policy
        decay = ExponentialDecay(timeConstant: configuration.decayTime)
        outliers.configuration = configuration.outliers ?? OutlierConfiguration()
        if configuration.outliers == nil, outliers.ejectedCount > 0 {
            for index in listed { outliers.add(Int(index)) }
        }
        nextMaintenance = MonotonicTime(nanoseconds: 0)
        nextWeightUpdate = MonotonicTime(nanoseconds: 0)
        rebuildRing()
        rebuildCandidates()
    }

    /// What is due now and then: ejections by A50, the weights of A58.
    mutating func maintain(now: MonotonicTime) {
        var next = MonotonicTime.distantFuture
        if configuration.outliers != nil {
            if outliers.sweep(now: now, using: &random) { rebuildCandidates() }
            next = outliers.nextSweep ?? next
        }
        if policy == .weightedRoundRobin {
            if now >= nextWeightUpdate {
                updateWeights(now: now)
                nextWeightUpdate =
                    now + max(configuration.weights.updatePeriod, .milliseconds(100))
            }
            next = min(next, nextWeightUpdate)
        }
        nextMaintenance = next
    }

    mutating func freeIfUnused(_ index: Int) {
        if !states[index].isListed && states[index].inFlight == 0 { details[index] = nil }
    }

    private mutating func freeIndex() -> Int {
        if let index = details.firstIndex(where: { $0 == nil }) { return index }
        states.append(State())
        details.append(nil)
        return details.count - 1
    }

    mutating func rebuildCandidates() {
        let usable = listed.filter { states[Int($0)].isUsable }
        let sound = usable.filter { !outliers.isEjected(Int($0)) }
        counts.isPanicking =
            sound.count < usable.count
            && sound.count * 100 < listed.count * configuration.panicThresholdPercent
        let chosen = counts.isPanicking || sound.isEmpty ? usable : sound
        for index in states.indices { states[index].isCandidate = false }
        for index in chosen { states[Int(index)].isCandidate = true }
        candidateWeight = chosen.reduce(0) { $0 + states[Int($1)].weight }
        splitByZone(chosen)
        isFirstTurn = true
        scheduledWeights.removeAll(keepingCapacity: true)
        nextWeightUpdate = MonotonicTime(nanoseconds: 0)
        if policy == .weightedRoundRobin { nextMaintenance = nextWeightUpdate }
    }

    private mutating func splitByZone(_ chosen: [Int32]) {
        let zone = configuration.zonePreference.zone
        let near = chosen.filter { details[Int($0)]?.endpoint.zone == zone }
        let zones = Set(listed.map { details[Int($0)]?.endpoint.zone ?? "" }).count
        let share = configuration.zonePreference.nearShare(
            near: near.count, all: chosen.count, zones: zones)
        guard let share else {
            candidates = chosen
            nearCount = chosen.count
            nearShare = 1 << 32
            return
        }
        candidates = near + chosen.filter { details[Int($0)]?.endpoint.zone != zone }
        nearCount = near.count
        nearShare = UInt64(share * Double(1 << 32))
    }

    private mutating func rebuildRing() {
        guard policy == .consistentHash else {
            ring = HashRing()
            return
        }
        ring.rebuild(
            listed.map { index in
                (
                    endpoint: index, hash: details[Int(index)]?.hash ?? 0,
                    weight: states[Int(index)].weight
                )
            })
    }

    /// A58: endpoints without a weight count with the mean of the others; all count equally while
    /// fewer than two have one. The weights of the list are factors.
    private mutating func updateWeights(now: MonotonicTime) {
        let reported = candidates.map {
            details[Int($0)]?.reported.current(now: now, configuration.weights)
        }
        let counted = reported.compactMap { $0 }
        let mean = counted.count < 2 ? 1 : counted.reduce(0, +) / Double(counted.count)
        let weights = zip(candidates, reported).map { index, weight in
            states[Int(index)].weight * (counted.count < 2 ? 1 : weight ?? mean)
        }
        guard weights != scheduledWeights else { return }
        scheduledWeights = weights
        let jobs = zip(candidates, weights).map { (endpoint: $0, weight: $1) }
        schedules.near.rebuild(jobs.prefix(nearCount), using: &random)
        schedules.far.rebuild(jobs.dropFirst(nearCount), using: &random)
    }
}
