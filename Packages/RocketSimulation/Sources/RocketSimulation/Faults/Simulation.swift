import RocketSystem

/// A world with hosts, work and rules of its own, which runs with any plan of faults. A value.
public struct Scenario: Sendable {
    /// Its name on command lines.
    public let name: String
    /// Builds the world and runs it to its end.
    public let body: @Sendable (World, Faults) throws -> Void

    /// Creates a scenario.
    ///
    /// - Parameter body: builds hosts, calls `Faults.apply` once, runs the world, and closes it.
    public init(name: String, body: @escaping @Sendable (World, Faults) throws -> Void) {
        self.name = name
        self.body = body
    }

    /// The faults of one run: those of the seed's plan, or what is left of them.
    public final class Faults {
        /// The numbers of those that happen; nil: all.
        fileprivate let kept: [Int]?
        /// The whole plan of the seed.
        public private(set) var plan: [Fault] = []

        fileprivate init(kept: [Int]?) { self.kept = kept }

        /// Those of the plan that happen.
        fileprivate var chosen: [Fault] {
            guard let kept else { return plan }
            return kept.filter(plan.indices.contains).map { plan[$0] }
        }

        /// Makes the faults of the plan happen. Once.
        ///
        /// - Returns: when the last one is over, from now on: `World.close` wants to come later.
        @discardableResult
        public func apply(_ plan: [Fault], to world: World, hosts: [Host]) -> Duration {
            precondition(self.plan.isEmpty, "a scenario applies its faults once")
            self.plan = plan
            let chosen = chosen
            world.plan(chosen, for: hosts)
            // The same for any choice, so that a smaller plan runs as long.
            return plan.map(\.end).max() ?? .zero
        }
    }

    /// What one run of a scenario came to. A value.
    public struct Outcome: Sendable {
        /// The rule that was broken; nil: none.
        public let failure: SimulationFailure?
        /// Equal for runs that went the same way.
        public let traceHash: UInt64
        /// The virtual time that has passed.
        public let elapsed: Duration
        /// What the world has done.
        public let statistics: WorldStatistics
        /// The faults of the plan, or those of them that were kept.
        public let faults: [Fault]
    }

    /// Runs the scenario in the world of a seed, on the calling thread.
    ///
    /// - Parameters:
    ///   - kept: the numbers of the faults of the seed's plan that happen; nil: all.
    ///   - traceLength: how many of the last events a failure has. At least 1; default 50.
    public func run(seed: UInt64, keeping kept: [Int]? = nil, traceLength: Int = 50) -> Outcome {
        let world = World(seed: seed, traceLength: traceLength)
        let faults = Faults(kept: kept)
        var failure: SimulationFailure?
        do {
            try body(world, faults)
            if !world.isClosed {
                world.violated(.leftover, "the scenario has not closed its world")
            }
            try world.check()
        } catch let error as SimulationFailure {
            failure = error
        } catch {
            failure = world.failure(Violation(rule: .custom, text: "\(error)"))
        }
        if failure != nil { world.abandon() }
        return Outcome(
            failure: failure, traceHash: world.traceHash, elapsed: world.elapsed,
            statistics: world.statistics,
            faults: faults.chosen)
    }

    /// Removes faults from a seed that fails as long as the same rule is broken without them.
    ///
    /// - Returns: the outcome with the fewest faults that was found.
    public func shrink(seed: UInt64, traceLength: Int = 50) -> Outcome {
        var best = run(seed: seed, traceLength: traceLength)
        guard let rule = best.failure?.violation.rule else { return best }
        var kept = Array(best.faults.indices)
        // Halves first, then one by one.
        var size = max(1, kept.count / 2)
        while true {
            var start = 0
            while start < kept.count {
                var fewer = kept
                fewer.removeSubrange(start..<min(start + size, kept.count))
                let outcome = run(seed: seed, keeping: fewer, traceLength: traceLength)
                if outcome.failure?.violation.rule == rule {
                    (best, kept) = (outcome, fewer)
                } else {
                    start += size
                }
            }
            if size == 1 { return best }
            size /= 2
        }
    }
}
