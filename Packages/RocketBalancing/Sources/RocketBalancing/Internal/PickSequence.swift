/// The random numbers of one balancer: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators"). A value; equal seeds give equal numbers.
///
/// A balancer draws from it at every pick, where a loop's generator may cost a system call: only its
/// seed is drawn from that.
struct PickSequence: RandomNumberGenerator, Hashable, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    @inline(__always)
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return StableHash.mixed(state)
    }

    /// A number from 0 up to, but not including, `bound`, which is at least 1.
    @inline(__always)
    mutating func number(below bound: Int) -> Int {
        Int(truncatingIfNeeded: ((next() >> 32) &* UInt64(truncatingIfNeeded: bound)) >> 32)
    }

    /// A number from 0 up to, but not including, 1.
    mutating func fraction() -> Double { Double(next() >> 11) / Double(1 << 53) }
}
