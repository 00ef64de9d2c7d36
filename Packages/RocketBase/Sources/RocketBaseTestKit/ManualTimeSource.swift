public import RocketSystem

/// A clock that changes only when a test advances it: tests of deadlines and time-outs need no
/// sleeps and give the same result on any machine. Any thread.
public final class ManualTimeSource: TimeSource {
    private let state: Locked<(monotonic: MonotonicTime, wall: WallTime)>

    /// Starts at one second of monotonic time.
    ///
    /// - Parameter wall: the initial calendar time; default 2026-01-01T00:00:00Z.
    public init(wall: WallTime = WallTime(nanoseconds: 1_767_225_600_000_000_000)) {
        state = Locked((MonotonicTime(nanoseconds: 1_000_000_000), wall))
    }

    /// Returns the current monotonic time.
    public func monotonic() -> MonotonicTime { state.withLock { $0.monotonic } }

    /// Returns the current calendar time.
    public func wall() -> WallTime { state.withLock { $0.wall } }

    /// Advances both clocks.
    public func advance(by duration: Duration) {
        state.withLock {
            $0.monotonic = $0.monotonic + duration
            $0.wall = WallTime(nanoseconds: $0.wall.nanoseconds + duration.wholeNanoseconds)
        }
    }

    /// Sets the calendar time only, as an administrator or NTP does.
    public func setWall(_ time: WallTime) { state.withLock { $0.wall = time } }
}
