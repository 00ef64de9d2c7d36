import RocketSystem

/// The factor by which an average that forgets exponentially has shrunk after some time: e^(-t/τ).
/// A value without state.
///
/// Computed as 2^-x from the exponent's bits and a cubic for the fraction, which is within 0.0002
/// of e^(-t/τ) and monotonic: a balancer evaluates it twice per call, and the result is the same with
/// every C library, which a simulation needs.
struct ExponentialDecay: Hashable, Sendable {
    private let halvingsPerNanosecond: Double

    /// - Parameter timeConstant: τ, the time after which 37 % is left; at least a microsecond.
    init(timeConstant: Duration) {
        let nanoseconds = max(1_000, Double(timeConstant.wholeNanoseconds))
        halvingsPerNanosecond = 1.442_695_040_888_963 / nanoseconds
    }

    /// The factor after so many nanoseconds, from 1 down to 0.
    @inline(__always)
    func factor(after nanoseconds: UInt64) -> Double {
        let halvings = Double(nanoseconds) * halvingsPerNanosecond
        guard halvings < 60 else { return 0 }
        let whole = UInt64(halvings)
        let rest = 1 - (halvings - Double(whole))
        // 2^rest for rest from 0 to 1; exact at both ends.
        let mantissa =
            1 + rest
            * (0.696_065_642_163_807 + rest
                * (0.224_494_337_302_845 + rest * 0.079_440_020_533_348))
        return mantissa * Double(bitPattern: (1_022 - whole) << 52)
    }

    /// The factor from one moment to a later one; 1 where `later` is not later.
    @inline(__always)
    func factor(from earlier: UInt64, to later: UInt64) -> Double {
        factor(after: later > earlier ? later - earlier : 0)
    }
}
