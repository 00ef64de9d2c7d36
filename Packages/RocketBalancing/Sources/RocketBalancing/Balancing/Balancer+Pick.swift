public import RocketSystem

extension Balancer {
    /// Chooses the endpoint of a call; nil if none can be used, or all were tried.
    ///
    /// - Parameters:
    ///   - now: the time of the loop. What is due now and then (sweeps of A50, weights of A58) is
    ///     done here, so a balancer needs no timer.
    ///   - key: what `consistentHash` goes by, such as `StableHash.of` of a user's id; nil: a random
    ///     one. Other policies ignore it.
    ///   - tried: endpoints that this call was sent to before.
    public mutating func pick(
        now: MonotonicTime, key: UInt64? = nil, excluding tried: TriedEndpoints = TriedEndpoints()
    ) -> Int? {
        if now >= nextMaintenance { maintain(now: now) }
        let all = candidates.count
        var picked: Int?
        if policy == .consistentHash {
            picked = pickByHash(key ?? random.next(), except: tried)
        } else if nearCount == all {
            picked = pick(from: 0, count: all, now: now, except: tried)
        } else {
            picked = pickByZone(now: now, except: tried)
        }
        guard let picked else {
            counts.failedPicks += 1
            return nil
        }
        counts.picks += 1
        if counts.isPanicking { counts.picksInPanic += 1 }
        return picked
    }

    private mutating func pickByZone(now: MonotonicTime, except tried: TriedEndpoints) -> Int? {
        let all = candidates.count
        let isNear = random.next() >> 32 < nearShare
        if isNear, let near = pick(from: 0, count: nearCount, now: now, except: tried) {
            return near
        }
        if let far = pick(from: nearCount, count: all - nearCount, now: now, except: tried) {
            counts.picksOutsideZone += 1
            return far
        }
        return isNear ? nil : pick(from: 0, count: nearCount, now: now, except: tried)
    }

    /// Picks from a part of the candidates.
    @inline(__always)
    private mutating func pick(
        from start: Int, count: Int, now: MonotonicTime, except tried: TriedEndpoints
    ) -> Int? {
        if count == 0 { return nil }
        switch policy {
        case .p2cPeakEWMA, .leastInFlight:
            if count == 1 { return untried(from: start, count: 1, at: 0, except: tried) }
            return pickOfTwo(from: start, count: count, now: now, except: tried)
        case .pickFirst, .consistentHash:
            return untried(from: start, count: count, at: 0, except: tried)
        case .roundRobin:
            return pickInTurn(from: start, count: count, except: tried)
        case .weightedRoundRobin:
            return start == 0
                ? schedules.near.next(except: tried) : schedules.far.next(except: tried)
        }
    }

    /// The power of two choices (Mitzenmacher, 2001), of two different candidates.
    @inline(__always)
    private mutating func pickOfTwo(
        from start: Int, count: Int, now: MonotonicTime, except tried: TriedEndpoints
    ) -> Int? {
        let number = random.next()
        let one = Int(truncatingIfNeeded: ((number >> 32) &* UInt64(count)) >> 32)
        var other = Int(
            truncatingIfNeeded: ((number & 0xFFFF_FFFF) &* UInt64(count &- 1)) >> 32)
        if other >= one { other &+= 1 }
        let first = Int(candidates[start &+ one])
        let second = Int(candidates[start &+ other])
        if !tried.isEmpty {
            if tried.contains(first) {
                return untried(from: start, count: count, at: other, except: tried)
            }
            if tried.contains(second) { return first }
        }
        return cost(first, now: now) <= cost(second, now: now) ? first : second
    }

    @inline(__always)
    private func cost(_ index: Int, now: MonotonicTime) -> Double {
        let state = states[index]
        if policy == .leastInFlight { return Double(state.inFlight + 1) / state.weight }
        return state.latency.cost(
            inFlight: state.inFlight, weight: state.weight, at: now, decay: decay)
    }

    private mutating func pickInTurn(
        from start: Int, count: Int, except tried: TriedEndpoints
    ) -> Int? {
        if isFirstTurn {
            isFirstTurn = false
            let first = Int(truncatingIfNeeded: random.next() >> 33)
            cursors = (first % max(1, nearCount), first % max(1, candidates.count - nearCount))
        }
        let cursor = start == 0 ? cursors.near : cursors.far
        let position = cursor < count ? cursor : 0
        if start == 0 { cursors.near = position + 1 } else { cursors.far = position + 1 }
        return untried(from: start, count: count, at: position, except: tried)
    }

    /// The first candidate from a position on that was not tried.
    private func untried(
        from start: Int, count: Int, at position: Int, except tried: TriedEndpoints
    ) -> Int? {
        if tried.isEmpty { return Int(candidates[start + position]) }
        // Of five in sequence one was not tried.
        for step in 0..<min(count, 5) {
            let at = position + step
            let index = Int(candidates[start + (at < count ? at : at - count)])
            if !tried.contains(index) { return index }
        }
        return nil
    }

    /// The key's endpoint, or the next one on the ring that has room: at most ⌈c × its share of all
    /// calls in flight⌉. Without one that has room and was not tried, the load does not count.
    private func pickByHash(_ key: UInt64, except tried: TriedEndpoints) -> Int? {
        guard candidateWeight > 0 else { return nil }
        let factor = max(1.01, configuration.hashLoadFactor)
        let capacity = factor * Double(totalInFlight + 1) / candidateWeight
        let free = ring.endpoint(for: key) { index in
            let state = states[index]
            return state.isCandidate && !tried.contains(index)
                && Double(state.inFlight) < (capacity * state.weight).rounded(.up)
        }
        return free
            ?? ring.endpoint(for: key) { states[$0].isCandidate && !tried.contains($0) }
    }
}
