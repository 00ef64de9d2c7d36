import Glibc

/// A moment on CLOCK_MONOTONIC, in nanoseconds: for deadlines and durations, never for dates.
@frozen
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's own beginning.
    public let nanoseconds: UInt64

    /// A moment by the clock's own count.
    @inlinable
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Further away than any process lives.
    public static let distantFuture = MonotonicTime(nanoseconds: .max)

    /// True when `a` comes before `b`.
    @inlinable
    public static func < (a: MonotonicTime, b: MonotonicTime) -> Bool {
        a.nanoseconds < b.nanoseconds
    }

    /// The moment `duration` later; ends at `distantFuture`, and at 0 for negative durations.
    @inlinable
    public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let delta = duration.wholeNanoseconds
        if delta >= 0 {
            let (sum, overflow) = time.nanoseconds.addingReportingOverflow(UInt64(delta))
            return MonotonicTime(nanoseconds: overflow ? .max : sum)
        }
        let (difference, underflow) = time.nanoseconds
            .subtractingReportingOverflow(delta.magnitude)
        return MonotonicTime(nanoseconds: underflow ? 0 : difference)
    }

    /// The moment so many nanoseconds later; ends at `distantFuture`.
    @inlinable
    public func later(by nanoseconds: UInt64) -> MonotonicTime {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return MonotonicTime(nanoseconds: overflow ? .max : sum)
    }

    /// How long after `earlier` this is; negative when it is before.
    @inlinable
    public static func - (later: MonotonicTime, earlier: MonotonicTime) -> Duration {
        later >= earlier
            ? .nanoseconds(Int64(clamping: later.nanoseconds - earlier.nanoseconds))
            : .nanoseconds(-Int64(clamping: earlier.nanoseconds - later.nanoseconds))
    }
}

/// A moment of the calendar: nanoseconds since 1970-01-01T00:00:00Z (CLOCK_REALTIME).
@frozen
public struct WallTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970; negative before.
    public let nanoseconds: Int64

    /// A moment by its nanoseconds since 1970.
    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// True when `a` comes before `b`.
    @inlinable
    public static func < (a: WallTime, b: WallTime) -> Bool { a.nanoseconds < b.nanoseconds }
}

extension Duration {
    /// The duration in nanoseconds, fractions rounded up, held at the ends of Int64
    /// (about 292 years).
    @inlinable
    public var wholeNanoseconds: Int64 {
        // Up to nine seconds fit into 64 bits, which is far cheaper to divide.
        if let small = Int64(exactly: attoseconds) {
            let (quotient, remainder) = small.quotientAndRemainder(dividingBy: 1_000_000_000)
            return quotient + (remainder > 0 ? 1 : 0)
        }
        let (seconds, attoseconds) = components
        let fraction = attoseconds / 1_000_000_000 + (attoseconds % 1_000_000_000 > 0 ? 1 : 0)
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds > 0 ? .max : .min }
        let (sum, overflowed) = product.addingReportingOverflow(fraction)
        return overflowed ? (seconds > 0 ? .max : .min) : sum
    }
}

/// Where a part reads its time from: the system's clocks, or a manual clock in tests.
public protocol TimeSource: Sendable {
    /// Any thread.
    func monotonic() -> MonotonicTime
    /// Any thread.
    func wall() -> WallTime
}

/// The kernel's clocks.
public struct SystemTimeSource: TimeSource {
    /// The system's clocks need nothing.
    public init() {}

    /// CLOCK_MONOTONIC now.
    public func monotonic() -> MonotonicTime {
        var time = timespec()
        // SAFETY: clock_gettime writes one timespec; these clocks always exist on Linux.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(
            nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// CLOCK_REALTIME now.
    public func wall() -> WallTime {
        var time = timespec()
        // SAFETY: as above.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
