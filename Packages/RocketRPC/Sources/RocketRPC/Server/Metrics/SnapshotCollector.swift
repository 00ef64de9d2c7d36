import RocketReactor
import RocketSystem

/// Requests the reports of the loops of a server, and remembers the last one of each for the time when
/// it does not answer. Any thread.
final class SnapshotCollector: Sendable {
    private let schedulers: SchedulerRegistry
    /// The last report of each loop, by its place among them.
    private let last = Locked<[LoopReport?]>([])

    init(_ schedulers: SchedulerRegistry) { self.schedulers = schedulers }

    /// Returns the reports of all loops, in their order.
    ///
    /// A loop that a callback has blocked for longer than `limit` already is not asked, so that nothing
    /// queues up there.
    func collect(
        from loops: [EventLoop], within limit: Duration, maxConnections: Int
    ) async -> [LoopReport] {
        let gathering = Gathering(count: loops.count)
        let answers: [LoopReport?] = await withCheckedContinuation { continuation in
            gathering.begin(continuation)
            requestReports(loops, gathering, within: limit, maxConnections)
        }
        return zip(loops, answers).enumerated().map { index, pair -> LoopReport in
            let (loop, answer) = pair
            if let answer { return answer }
            let before = last.withLock { index < $0.count ? $0[index] : nil }
            return (before ?? LoopReport(of: loop)).stuck(loop, now: loop.time.monotonic())
        }
    }

    private func requestReports(
        _ loops: [EventLoop], _ gathering: Gathering, within limit: Duration,
        _ maxConnections: Int
    ) {
        var asked: [EventLoop] = []
        for (index, loop) in loops.enumerated() {
            let isStuck = loop.lastProgress.isStuck(
                at: loop.time.monotonic(), longerThan: limit)
            let isAsked =
                !isStuck
                && loop.execute { [self] reactor in
                    let report = LoopReport(
                        on: reactor, schedulers.existingScheduler(of: reactor.loop),
                        maxConnections: maxConnections)
                    remember(report, at: index)
                    gathering.answered(index, report)
                }
            if isAsked { asked.append(loop) } else { gathering.answered(index, nil) }
        }
        // A timer on each loop: any of them may be the one that is stuck.
        gathering.setTimers(
            asked.map { loop in
                loop.schedule(after: limit, label: "snapshot") { _ in gathering.timedOut() }
            })
    }

    private func remember(_ report: LoopReport, at index: Int) {
        last.withLock { last in
            while last.count <= index { last.append(nil) }
            last[index] = report
        }
    }
}

/// The answers to one question to several loops, until all are there or the time is up.
private final class Gathering: Sendable {
    private struct State {
        var answers: [LoopReport?]
        var left: Int
        var continuation: CheckedContinuation<[LoopReport?], Never>?
        var timers: [LoopTimer] = []
        var isOver = false
    }

    private let state: Locked<State>

    init(count: Int) {
        state = Locked(State(answers: Array(repeating: nil, count: count), left: count))
    }

    func begin(_ continuation: CheckedContinuation<[LoopReport?], Never>) {
        state.withLock { $0.continuation = continuation }
        finishIfDone()
    }

    /// - Parameter report: nil: the loop is not asked.
    func answered(_ index: Int, _ report: LoopReport?) {
        state.withLock { state in
            state.answers[index] = report
            state.left -= 1
        }
        finishIfDone()
    }

    /// The timers that call `timedOut`. They are cancelled at the end.
    func setTimers(_ timers: [LoopTimer]) {
        let isOver = state.withLock { state in
            if !state.isOver { state.timers = timers }
            return state.isOver
        }
        if isOver { for timer in timers { timer.cancel() } }
    }

    func timedOut() { finish { _ in true } }

    private func finishIfDone() { finish { $0.left == 0 } }

    private typealias Outcome = (
        continuation: CheckedContinuation<[LoopReport?], Never>?, answers: [LoopReport?],
        timers: [LoopTimer]
    )

    private func finish(_ isOver: (State) -> Bool) {
        let (continuation, answers, timers) = state.withLock { state -> Outcome in
            guard !state.isOver, state.continuation != nil, isOver(state) else {
                return (nil, [], [])
            }
            state.isOver = true
            defer {
                state.continuation = nil
                state.timers = []
            }
            return (state.continuation, state.answers, state.timers)
        }
        for timer in timers { timer.cancel() }
        continuation?.resume(returning: answers)
    }
}
