import RocketSystem

/// When the next fan-out may begin: so long after the last one that what is said meanwhile goes
/// along in one write for each receiver. A pure value.
///
/// Writing to a thousand receivers takes milliseconds, mostly the kernel's, whether one message or
/// ten go to each. So after a fan-out the next waits for half of the time that this one took, at
/// most `longestPause`; one that comes later than that, as in a quiet room, does not wait at all.
struct BroadcastThrottle {
    private var earliest = MonotonicTime(nanoseconds: 0)

    static let longestPause = Duration.milliseconds(5)

    /// A fan-out began and ended, its writes included.
    mutating func record(began: MonotonicTime, ended: MonotonicTime) {
        earliest = ended + min((ended - began) / 2, Self.longestPause)
    }

    /// When what is said now may go out; nil: at once.
    func pause(_ now: MonotonicTime) -> MonotonicTime? { earliest > now ? earliest : nil }
}
