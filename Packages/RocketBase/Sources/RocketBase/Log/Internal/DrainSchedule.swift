import RocketSystem

/// Decides when the writer's thread drains the buffers. A value without a clock; `now` is passed in.
///
/// Lines that nobody waits for are drained once per sync interval. A line for a prompt sink, such as
/// the journal, requests a drain that begins at once, or `promptInterval` after the last one began:
/// a single line is written immediately, and a burst causes one wake-up of the thread per interval
/// instead of one per line.
struct DrainSchedule: Sendable {
    /// What the callers have requested since the last drain began. The values increase with the
    /// urgency.
    enum Request: UInt32, Sendable {
        /// Nothing: the next drain is due after the sync interval.
        case none = 0
        /// A line is to reach a prompt sink.
        case prompt = 1
        /// A buffer is half full, a caller waits for room, the watchdog probes, or the log ends.
        case now = 2
    }

    /// The shortest time between two drains that prompt lines cause. With the time for writing it
    /// keeps such lines below 50 ms.
    static let promptInterval = Duration.milliseconds(20)

    private let syncInterval: Duration
    private var last: MonotonicTime

    /// - Parameter start: the time at which the thread started, as if it had drained then, so that
    ///   the lines of a start are written together.
    init(syncInterval: Duration, start: MonotonicTime) {
        self.syncInterval = syncInterval
        last = start
    }

    /// Returns the time until the next drain; zero: it is due.
    func wait(for request: Request, at now: MonotonicTime) -> Duration {
        switch request {
        case .none: max(.zero, last + syncInterval - now)
        case .prompt: max(.zero, last + min(syncInterval, Self.promptInterval) - now)
        case .now: .zero
        }
    }

    /// Records that a drain began.
    mutating func drained(at now: MonotonicTime) { last = now }
}
