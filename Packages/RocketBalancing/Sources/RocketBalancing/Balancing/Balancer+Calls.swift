public import RocketSystem

extension Balancer {
    /// Records that a call was sent to an endpoint. Exactly one `ended` must follow, also where the
    /// endpoint is gone from the list meanwhile.
    public mutating func began(_ index: Int) {
        guard states.indices.contains(index) else { return }
        states[index].inFlight &+= 1
        totalInFlight &+= 1
    }

    /// Records the end of a call.
    ///
    /// - Parameters:
    ///   - index: where it was sent.
    ///   - start: the time of `began`.
    ///   - outcome: how it ended.
    ///   - now: the time of the loop.
    public mutating func ended(
        _ index: Int, began start: MonotonicTime, outcome: CallOutcome, now: MonotonicTime
    ) {
        guard states.indices.contains(index), states[index].inFlight > 0 else { return }
        states[index].inFlight &-= 1
        totalInFlight &-= 1
        guard states[index].isListed else {
            freeIfUnused(index)
            return
        }
        let nanoseconds = now > start ? now.nanoseconds - start.nanoseconds : 0
        switch outcome {
        case .success:
            poolLatencies.record(nanoseconds: nanoseconds)
            observe(index, Double(nanoseconds), failed: false, now)
            outliers.succeeded(index)
        case .failure, .refused:
            let pool = Double(poolLatencies.microseconds ?? 0) * 1_000
            observe(index, max(Double(nanoseconds), pool), failed: true, now)
            if outcome == .failure, configuration.outliers != nil,
                outliers.failed(index, now: now)
            {
                rebuildCandidates()
            }
        case .ignored:
            // It would have taken at least as long: the loser of a hedge is not a fast endpoint.
            if Double(nanoseconds) > states[index].latency.latency(at: now.nanoseconds, decay) {
                observe(index, Double(nanoseconds), failed: false, now)
            }
        }
    }

    @inline(__always)
    private mutating func observe(
        _ index: Int, _ nanoseconds: Double, failed: Bool, _ now: MonotonicTime
    ) {
        // A known latency is never 0, which stands for an unknown one.
        states[index].latency.observe(
            latency: max(1, nanoseconds), failed: failed, at: now, decay: decay)
    }
}
