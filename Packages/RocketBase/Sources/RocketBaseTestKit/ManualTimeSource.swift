public import RocketSystem

/// A clock that stands still until a test moves it. Any thread.
public final class ManualTimeSource: TimeSource {
    private let state: Locked<(monotonic: MonotonicTime, wall: WallTime)>

    /// Starts at one second of monotonic time, and at `wall` (default 2026-01-01T00:00:00Z).
    public init(wall: WallTime = WallTime(nanoseconds: 1_767_225_600_000_000_000)) {
        state = Locked((MonotonicTime(nanoseconds: 1_000_000_000), wall))
    }

    /// The moment that was set.
    public func monotonic() -> MonotonicTime { state.withLock { $0.monotonic } }
    /// The date that was set.
    public func wall() -> WallTime { state.withLock { $0.wall } }

    /// Moves both clocks on.
    public func advance(by duration: Duration) {
        state.withLock {
            $0.monotonic = $0.monotonic + duration
            $0.wall = WallTime(nanoseconds: $0.wall.nanoseconds + duration.wholeNanoseconds)
        }
    }

    /// Sets the calendar alone, as an administrator or NTP does.
    public func setWall(_ time: WallTime) { state.withLock { $0.wall = time } }
}
