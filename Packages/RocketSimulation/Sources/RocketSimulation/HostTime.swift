import RocketSystem
import Synchronization

/// The virtual time of a world. Any thread reads it; the world sets it.
final class VirtualTime: Sendable {
    private let nanoseconds = Atomic<UInt64>(VirtualTime.start.nanoseconds)

    /// When each world begins.
    static let start = MonotonicTime(nanoseconds: 1_000_000_000)
    /// The calendar time at the start: 2026-01-01T00:00:00Z.
    static let wallStart: Int64 = 1_767_225_600_000_000_000

    var now: MonotonicTime { MonotonicTime(nanoseconds: nanoseconds.load(ordering: .relaxed)) }

    func advance(to time: MonotonicTime) {
        nanoseconds.store(max(time, now).nanoseconds, ordering: .relaxed)
    }
}

/// The clocks of one host. The monotonic one begins at another moment on each host; the calendar may
/// be set, as NTP or an administrator does. Any thread.
final class HostTime: TimeSource {
    private let time: VirtualTime
    private let offset: UInt64
    private let wallOffset: Atomic<Int64>

    init(_ time: VirtualTime, monotonicOffset: UInt64, wallOffset: Int64) {
        self.time = time
        offset = monotonicOffset
        self.wallOffset = Atomic(wallOffset)
    }

    func monotonic() -> MonotonicTime { time.now.later(by: offset) }

    func wall() -> WallTime {
        let elapsed = Int64(time.now.nanoseconds - VirtualTime.start.nanoseconds)
        return WallTime(
            nanoseconds: VirtualTime.wallStart + elapsed + wallOffset.load(ordering: .relaxed))
    }

    /// Sets the calendar forward or back.
    func stepWall(by duration: Duration) {
        wallOffset.wrappingAdd(duration.wholeNanoseconds, ordering: .relaxed)
    }

    /// The time of the world at a moment of this host.
    func worldTime(of moment: MonotonicTime) -> MonotonicTime {
        if moment == .distantFuture { return moment }
        return MonotonicTime(nanoseconds: moment.nanoseconds - min(offset, moment.nanoseconds))
    }

    /// The moment of this host at a time of the world.
    func hostTime(of time: MonotonicTime) -> MonotonicTime { time.later(by: offset) }
}
