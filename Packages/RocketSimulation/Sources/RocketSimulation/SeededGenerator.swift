import RocketSystem

/// A generator whose numbers follow from its seed: SplitMix64 (Steele, Lea, Flood: "Fast splittable
/// pseudorandom number generators"). A value; equal seeds give equal numbers.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Creates a generator. Seeds that differ in one bit give unrelated numbers.
    public init(seed: UInt64) { state = seed }

    /// Returns the next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Returns a generator for another purpose, whose numbers are independent of how many this one
    /// has given: so what one part of a world draws does not change what another draws.
    public static func derived(from seed: UInt64, _ purpose: String) -> SeededGenerator {
        var hash = TraceHash()
        hash.combine(seed)
        hash.combine(purpose)
        return SeededGenerator(seed: hash.value)
    }
}

extension SeededGenerator {
    /// Returns true with this probability, from 0 to 1.
    public mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self) < probability
    }

    /// Returns a duration of the range, all equally likely.
    public mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        let least = range.lowerBound.wholeNanoseconds
        let most = max(least, range.upperBound.wholeNanoseconds)
        return .nanoseconds(Int64.random(in: least...most, using: &self))
    }
}
