/// The random numbers of one loop, for everything that runs on it. Two loops whose generators were
/// seeded alike draw the same numbers, as long as what runs on them draws in the same order. Bound
/// to the loop; owned by its `Reactor`.
public final class LoopRandom: RandomNumberGenerator {
    /// nil: the system's, which is called without an indirect call.
    private var generator: (any RandomNumberGenerator & Sendable)?

    init(_ generator: any RandomNumberGenerator & Sendable) {
        self.generator = generator is SystemRandomNumberGenerator ? nil : generator
    }

    /// Returns the next number. Costs a system call where no generator was handed in: draw for
    /// what is rare, such as a back-off, or for the start of a sequence.
    public func next() -> UInt64 {
        if let next = generator?.next() { return next }
        // determinism: the one place that draws from the system, where no generator is handed in
        var system = SystemRandomNumberGenerator()
        return system.next()
    }
}
