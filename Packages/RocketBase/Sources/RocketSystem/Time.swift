import Glibc

/// A moment on CLOCK_MONOTONIC: for deadlines and durations, not for dates.
@frozen
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since the start of the clock.
    public let nanoseconds: UInt64

    /// The moment `nanoseconds` after the start of the clock.
    @inlinable
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// The latest moment; no process lives that long.
    public static let distantFuture = MonotonicTime(nanoseconds: .max)

    /// Returns whether `a` is before `b`.
    @inlinable
    public static func < (a: MonotonicTime, b: MonotonicTime) -> Bool {
        a.nanoseconds < b.nanoseconds
    }

    /// Returns the moment `duration` later, clamped to 0 and `distantFuture`.
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

    /// Returns the moment `nanoseconds` later, at most `distantFuture`.
    @inlinable
    public func later(by nanoseconds: UInt64) -> MonotonicTime {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return MonotonicTime(nanoseconds: overflow ? .max : sum)
    }

    /// Returns the time from `earlier` to `later`; negative when `later` is before `earlier`.
    @inlinable
    public static func - (later: MonotonicTime, earlier: MonotonicTime) -> Duration {
        later >= earlier
            ? .nanoseconds(Int64(clamping: later.nanoseconds - earlier.nanoseconds))
            : .nanoseconds(-Int64(clamping: earlier.nanoseconds - later.nanoseconds))
    }
}

/// A moment on CLOCK_REALTIME: for dates. The clock can be set back.
@frozen
public struct WallTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z; negative before.
    public let nanoseconds: Int64

    /// The moment `nanoseconds` after 1970-01-01T00:00:00Z.
    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Returns whether `a` is before `b`.
    @inlinable
    public static func < (a: WallTime, b: WallTime) -> Bool { a.nanoseconds < b.nanoseconds }
}

extension Duration {
    /// The duration in nanoseconds, rounded up and clamped to Int64 (about 292 years).
    @inlinable
    public var wholeNanoseconds: Int64 {
        // Up to nine seconds of attoseconds fit into 64 bits, which are far cheaper to divide.
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

/// A source of time: the clocks of the system, or a manual clock in tests.
public protocol TimeSource: Sendable {
    /// Returns the current monotonic time. Any thread.
    func monotonic() -> MonotonicTime
    /// Returns the current calendar time. Any thread.
    func wall() -> WallTime
}

/// The clocks of the kernel.
public struct SystemTimeSource: TimeSource {
    /// Creates a source; all sources are alike.
    public init() {}

    /// Returns the current time of CLOCK_MONOTONIC.
    public func monotonic() -> MonotonicTime {
        var time = timespec()
        // SAFETY: clock_gettime writes one timespec; these clocks always exist on Linux.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(
            nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// Returns the current time of CLOCK_REALTIME.
    public func wall() -> WallTime {
        var time = timespec()
        // SAFETY: as above.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}
