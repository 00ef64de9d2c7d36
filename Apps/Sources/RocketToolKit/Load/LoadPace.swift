import RocketSystem

/// Decides which call the next free caller of one event loop makes, and when. A state machine:
/// times come in, steps go out.
///
/// Closed loop: a call begins when its caller is free. Open loop: each call has a time at which it
/// is due. If no caller is free then, it begins late, and its latency counts from when it was due.
struct LoadPace: Sendable {
    enum Step: Hashable, Sendable {
        /// The caller begins call number `index` now.
        case begin(_ index: Int, due: MonotonicTime)
        /// No call is due before that time.
        case wait(until: MonotonicTime)
        /// There are no calls left.
        case end
    }

    /// Of an open loop; nil: closed loop.
    let schedule: LoadSchedule?
    let start: MonotonicTime
    /// No call begins from then on.
    let end: MonotonicTime
    /// The number of calls of all loops.
    let requests: Int
    /// Every how manyth call is this loop's: loops share no counter.
    let stride: Int
    /// The number of the next call.
    private(set) var index: Int

    /// - Parameters:
    ///   - duration: nil: no end but that of `requests` or the schedule.
    ///   - requests: nil: as many as the time allows.
    ///   - loop, loops: the number of this loop, from 0, and how many there are.
    init(
        schedule: LoadSchedule? = nil, start: MonotonicTime, duration: Duration? = nil,
        requests: Int? = nil, loop: Int = 0, loops: Int = 1
    ) {
        self.schedule = schedule
        self.start = start
        end = duration.map { start + $0 } ?? .distantFuture
        self.requests = requests ?? .max
        (index, stride) = (loop, loops)
    }

    /// Returns what a caller that is free at `now` does.
    ///
    /// - Parameter hasWaited: whether it has been free before the call was due. Then it makes calls
    ///   that were due before the end, even if the timer that wakes it fires a little later.
    mutating func next(_ now: MonotonicTime, hasWaited: Bool = false) -> Step {
        guard now < end || hasWaited, index < requests else { return .end }
        var due = now
        if let schedule {
            guard let offset = schedule.due(index) else { return .end }
            due = start + offset
            if due > now { return due < end ? .wait(until: due) : .end }
        }
        defer { index += stride }
        return .begin(index, due: due)
    }

    /// The number of this loop's calls that were due until the end, and were not begun.
    ///
    /// - Parameter first: calls that were due before it do not count: those of a warm-up.
    func notBegun(since first: MonotonicTime) -> Int {
        guard let schedule else { return 0 }
        let skipped = first > start ? schedule.calls(until: first - start) : 0
        let from = index + max(0, skipped - index + stride - 1) / stride * stride
        let due = min(schedule.calls(until: end - start), requests)
        return max(0, due - from + stride - 1) / stride
    }
}
