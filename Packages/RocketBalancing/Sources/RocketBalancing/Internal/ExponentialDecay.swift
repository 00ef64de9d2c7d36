import RocketSystem

/// The factor by which an average that forgets exponentially has shrunk after some time: e^(-t/τ).
/// A value without state.
///
/// Exact after whole half-lives, with a straight line in between, which is at most 6.2 % above the
/// curve: the bits of a floating-point number are its logarithm to the base 2 (Schraudolph: "A Fast,
/// Compact Approximation of the Exponential Function", 1999). A balancer evaluates it twice per call,
/// and the result is the same with every C library, which a simulation needs.
struct ExponentialDecay: Hashable, Sendable {
    /// 2^52 through the half-life.
    private let bitsPerNanosecond: Double
    /// After 60 half-lives nothing is left.
    private let longest: UInt64

    private static let bitsOfOne: Int64 = 0x3FF0_0000_0000_0000

    /// - Parameter timeConstant: τ, the time after which 37 % is left; from a microsecond to a year.
    init(timeConstant: Duration) {
        let bounded = min(31_536_000_000_000_000, max(1_000, timeConstant.wholeNanoseconds))
        let halfLife = Double(bounded) * 0.693_147_180_559_945_3
        bitsPerNanosecond = 4_503_599_627_370_496 / halfLife
        longest = UInt64(halfLife * 60)
    }

    /// The factor after so many nanoseconds, from 1 down to 0; it never grows.
    @inline(__always)
    func factor(after nanoseconds: UInt64) -> Double {
        guard nanoseconds < longest else { return 0 }
        let bits = Double(Int64(truncatingIfNeeded: nanoseconds)) * bitsPerNanosecond
        return Double(bitPattern: UInt64(bitPattern: Self.bitsOfOne &- Int64(bits)))
    }

    /// The factor from one moment to a later one; 1 where `later` is not later.
    @inline(__always)
    func factor(from earlier: UInt64, to later: UInt64) -> Double {
        later > earlier ? factor(after: later &- earlier) : 1
    }
}
