import RocketBase
import RocketProgram
import RocketRPC
import RocketReactor
import RocketSystem

/// One load: connections on event loops, callers that make one call after the other, and what they
/// have counted. Any thread.
final class LoadRun: Sendable {
    /// How much is called.
    struct Settings: Sendable {
        var concurrency: Int
        var connections: Int
        var threads: Int
        /// Of an open loop; nil: closed loop.
        var schedule: LoadSchedule?
        /// Of a closed loop whose number of callers changes: at most `concurrency`.
        var callers: LoadSchedule?
        /// Whether the report has a part for each stage of one of them.
        var hasStages = false
        var duration: Duration?
        var requests: Int?
        /// Calls that are due before it has passed are not counted.
        var warmUp = Duration.zero
        var waitsForReady = false
        /// The processes of the server, if their processor time is measured.
        var serverProcesses: [Int32] = []
        /// Whether calls are also counted from when they were begun: see `reportFromBegin`.
        var countsFromBegin = false
    }

    /// The time between two points of the course, and two drawings of the live view.
    static let interval = Duration.milliseconds(500)
    /// How long a caller waits whose call found no connection, so that it does not spin.
    private static let reconnectDelay = Duration.milliseconds(100)

    private let calls: LoadCalls
    private let settings: Settings
    private let time = SystemTimeSource()
    private let stages: LoadStages
    private let recorder: LoadRecorder
    private let state = Locked(State())

    private struct State {
        var isStopped = false
        var callers: [LoopBound<LoadCallers>] = []
        var reportFromBegin: LoadReport?
    }

    init(_ calls: LoadCalls, _ settings: Settings) {
        self.calls = calls
        self.settings = settings
        stages =
            if !settings.hasStages { .none } else if let schedule = settings.schedule {
                LoadStages(ofRate: schedule)
            } else if let callers = settings.callers {
                LoadStages(ofCallers: callers)
            } else { .none }
        recorder = LoadRecorder(calls, settings, stages)
    }

    /// Ends the load early: no call begins any more. Calls in flight go on.
    func stop() {
        let callers = state.withLock { state in
            state.isStopped = true
            return state.callers
        }
        for callers in callers { callers.loop.execute { _ in callers.get().stop() } }
    }

    /// The report of the same calls with latencies from when each was begun, and without calls that were
    /// never begun: what a client would have seen that is never late. After `run`, if it was wanted.
    var reportFromBegin: LoadReport? { state.withLock { $0.reportFromBegin } }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Makes the calls.
    ///
    /// - Parameter progress: called after each interval, on a thread of the pool.
    /// - Throws: `ProgramFailure` if the server can't be reached, or threads can't be started.
    func run(
        _ setup: LoadReport.Setup, target: ServerTarget,
        progress: @escaping @Sendable (LoadProgress) -> Void
    ) async throws -> LoadReport {
        let threads: IOThreadGroup
        do {
            threads = try IOThreadGroup(count: settings.threads, namePrefix: "rocket-load-")
        } catch { throw ProgramFailure(error) }
        let channels = try (0..<settings.connections).map { number in
            try CallCommand.channel(to: target, on: threads.loops[number % settings.threads])
        }
        try await connect(channels, to: target)
        let start = time.monotonic()
        let first = start + settings.warmUp
        recorder.begin(at: start)
        let ticks = Task { await tick(from: start, progress) }
        await withTaskGroup { group in
            for (number, loop) in threads.loops.enumerated() {
                group.addTask(executorPreference: loop) { [self] in
                    await callAll(channels.filter { $0.loop === loop }, number, start, first)
                }
            }
        }
        ticks.cancel()
        await ticks.value
        recorder.end(at: time.monotonic())
        for channel in channels { channel.close() }
        await threads.shutdown()
        let (report, fromBegin) = recorder.reports(setup, interrupted: isStopped)
        state.withLock { $0.reportFromBegin = fromBegin }
        return report
    }

    /// Ends the intervals of the course, and shows how far the load is.
    private func tick(
        from start: MonotonicTime, _ progress: @Sendable (LoadProgress) -> Void
    ) async {
        var next = start + settings.warmUp
        if settings.warmUp > .zero {
            try? await Task.sleep(for: max(.zero, next - time.monotonic()))
            if Task.isCancelled { return }
            recorder.endWarmUp()
        }
        while true {
            next = next + Self.interval
            try? await Task.sleep(for: max(.zero, next - time.monotonic()))
            if Task.isCancelled { return }
            let now = time.monotonic()
            progress(
                LoadProgress(
                    elapsed: now - start,
                    duration: settings.duration ?? settings.schedule?.duration,
                    requests: settings.requests, course: recorder.endInterval(at: now)))
        }
    }

    /// Connects before the first call, so that its latency is that of a call.
    private func connect(_ channels: [RPCChannel], to target: ServerTarget) async throws {
        for channel in channels { channel.connect() }
        for channel in channels {
            states: for await state in channel.states {
                switch state {
                case .ready, .closed: break states
                case .transientFailure:
                    if settings.waitsForReady || isStopped { break states }
                    throw ProgramFailure("\(target) can't be reached", status: .unavailable)
                case .idle, .connecting: continue
                }
            }
        }
    }

    /// Runs the callers of one loop until no calls are left. On the loop.
    private func callAll(
        _ channels: [RPCChannel], _ number: Int, _ start: MonotonicTime, _ first: MonotonicTime
    ) async {
        guard let loop = channels.first?.loop else { return }
        let callers = loop.withReactor { reactor in
            LoadCallers(
                LoadPace(
                    schedule: settings.schedule, start: start, duration: settings.duration,
                    requests: settings.requests, loop: number, loops: settings.threads),
                stages, weights: calls.methods.map(\.weight), loop: number, loops: settings.threads,
                on: reactor)
        }
        let bound = loop.withReactor { LoopBound(callers, on: $0) }
        let isStopped = state.withLock { state in
            state.callers.append(bound)
            return state.isStopped
        }
        if isStopped { callers.stop() }
        let before = loop.withReactor { WorkedTime($0) }
        await withTaskGroup { group in
            for caller in stride(from: number, to: settings.concurrency, by: settings.threads) {
                group.addTask(executorPreference: loop) { [self] in
                    await call(channels, bound, number, caller, countingFrom: first)
                }
            }
        }
        recorder.add(busy: loop.withReactor { WorkedTime($0) }.share(since: before))
        recorder.counters[number].addNotBegun { callers.notBegun(since: start + $0) }
    }

    /// Makes one call after the other. On the loop of the callers.
    private func call(
        _ channels: [RPCChannel], _ bound: LoopBound<LoadCallers>, _ number: Int,
        _ caller: Int, countingFrom first: MonotonicTime
    ) async {
        let callers = bound.get()
        let counters = recorder.counters[number]
        let options = settings.waitsForReady ? RPCCallOptions.waitForReady : .init()
        var now = time.monotonic()
        var isFirst = true
        while let call = await callers.next(now, caller: caller, isFirst: isFirst) {
            isFirst = false
            // Calls of an open loop go to all connections, however many callers are busy.
            let channel = channels[call.sequence / settings.threads % channels.count]
            var failure: RPCError?
            let begin = settings.countsFromBegin ? time.monotonic() : call.due
            var messages: LoadMessages?
            do throws(RPCError) {
                try await calls.make(call, over: channel, options, counting: &messages)
            } catch {
                failure = error
            }
            let end = time.monotonic()
            now = end
            if let failure {
                // Interrupted; `stop` may not have come to this loop yet.
                if failure.code == .cancelled, Task.isCancelled { return }
                if failure.code == .failedConnect || failure.code == .peerClosed {
                    try? await Task.sleep(for: Self.reconnectDelay)
                    now = time.monotonic()
                } else {
                    // A call that fails before it is sent does not suspend its caller, whose next
                    // ones would fail for the same reason: the loop must run in between.
                    await Task.yield()
                }
            }
            if call.due < first { continue }
            counters.record(call, begin: begin, end: end, failure, messages)
        }
    }
}
