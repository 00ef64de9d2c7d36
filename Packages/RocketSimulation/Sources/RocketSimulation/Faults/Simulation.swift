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

        /// Makes the faults of the plan happen. Once.
        ///
        /// - Returns: when the last one is over.
        @discardableResult
        public func apply(_ plan: [Fault], to world: World, hosts: [Host]) -> Duration {
            self.plan = plan
            let chosen = kept.map { $0.map { plan[$0] } } ?? plan
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
        /// The faults that have happened.
        public let faults: [Fault]
    }

    /// Runs the scenario in the world of a seed, on the calling thread.
    ///
    /// - Parameter kept: the numbers of the faults of the seed's plan that happen; nil: all.
    public func run(seed: UInt64, keeping kept: [Int]? = nil) -> Outcome {
        let world = World(seed: seed)
        let faults = Faults(kept: kept)
        var failure: SimulationFailure?
        do { try body(world, faults) } catch let error as SimulationFailure {
            failure = error
        } catch {
            failure = SimulationFailure(
                seed: seed, violation: Violation(rule: .custom, text: "\(error)"),
                elapsed: world.elapsed, trace: [])
        }
        if failure != nil { world.abandon() }
        return Outcome(
            failure: failure, traceHash: world.traceHash, elapsed: world.elapsed,
            statistics: world.statistics,
            faults: kept.map { $0.map { faults.plan[$0] } } ?? faults.plan)
    }

    /// Removes faults from a seed that fails as long as the same rule is broken without them.
    ///
    /// - Returns: the outcome with the fewest faults that was found.
    public func shrink(seed: UInt64) -> Outcome {
        var best = run(seed: seed)
        guard let rule = best.failure?.violation.rule else { return best }
        var kept = Array(best.faults.indices)
        // Halves first, then one by one.
        var size = max(1, kept.count / 2)
        while true {
            var start = 0
            while start < kept.count {
                var fewer = kept
                fewer.removeSubrange(start..<min(start + size, kept.count))
                let outcome = run(seed: seed, keeping: fewer)
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
