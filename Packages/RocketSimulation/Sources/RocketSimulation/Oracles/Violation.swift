/// A rule that a world has broken. A value.
public struct Violation: Error, Hashable, Sendable {
    /// The rules of every world, and `custom` for those of a scenario.
    public enum Rule: String, Hashable, Sendable, CaseIterable {
        /// Each call ends exactly once.
        case callEnds
        /// A reply goes to the call that it answers.
        case reply
        /// A handler runs once for a call, unless that is idempotent or was refused before its start.
        case atMostOnce
        /// A call ends no later than its deadline and one tick.
        case deadline
        /// Limits hold at each step.
        case limit
        /// After close nothing is left.
        case leftover
        /// A loop sleeps although a task waits for it.
        case lostWakeup
        /// A loop runs without end at one time.
        case spinning
        /// Once faults stop, what should happen happens.
        case liveness
        /// What was acknowledged is on disk exactly once.
        case durability
        /// A task of a host threw an error.
        case task
        /// A rule of the scenario.
        case custom
    }

    /// The rule.
    public let rule: Rule
    /// What broke it.
    public let text: String

    /// Creates it from its parts.
    public init(rule: Rule, text: String) {
        self.rule = rule
        self.text = text
    }
}

/// The end of a world in which a rule was broken. A value.
public struct SimulationFailure: Error, Sendable, CustomStringConvertible {
    /// The seed of the world.
    public let seed: UInt64
    /// What was broken.
    public let violation: Violation
    /// The virtual time from the start of the world.
    public let elapsed: Duration
    /// The last events before it, one per line, the oldest first.
    public let trace: [String]

    /// The rule, what broke it, seed and time, and the last events.
    public var description: String {
        """
        \(violation.rule.rawValue): \(violation.text)
        seed \(seed), after \(seconds(elapsed)) s. The last \(trace.count) events:
        \(trace.map { "  " + $0 }.joined(separator: "\n"))
        """
    }
}
