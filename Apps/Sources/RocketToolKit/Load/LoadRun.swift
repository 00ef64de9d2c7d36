import RocketBase
import RocketDynamic
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
        var duration: Duration?
        var requests: Int?
        /// Calls that are due before it has passed are not counted.
        var warmUp = Duration.zero
        var waitsForReady = false
    }

    /// The time between two points of the course, and two drawings of the live view.
    static let interval = Duration.milliseconds(500)
    /// How long a caller waits whose call found no connection, so that it does not spin.
    private static let reconnectDelay = Duration.milliseconds(100)

    private let calls: LoadCalls
    private let settings: Settings
    private let time = SystemTimeSource()
    /// One for each loop.
    private let counters: [LoadCounter]
    private let state = Locked(State())

    private struct State {
        var isStopped = false
        var callers: [LoopBound<LoadCallers>] = []
        var course = LoadCourse()
        var lastTick = MonotonicTime(nanoseconds: 0)
    }

    init(_ calls: LoadCalls, _ settings: Settings) {
        self.calls = calls
        self.settings = settings
        counters = (0..<settings.threads).map { _ in
            LoadCounter(methods: calls.methods.count)
        }
    }

    /// Ends the load early: no call begins any more. Calls in flight go on.
    func stop() {
        let callers = state.withLock { state in
            state.isStopped = true
            return state.callers
        }
        for callers in callers { callers.loop.execute { _ in callers.get().stop() } }
    }

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
        state.withLock { $0.lastTick = first }
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
        let seconds = max(.zero, time.monotonic() - first) / .seconds(1)
        endInterval(at: time.monotonic(), since: first)
        for channel in channels { channel.close() }
        await threads.shutdown()
        var all = LoadCounts(methods: calls.methods.count)
        for counter in counters { all.add(counter.all) }
        return LoadReport(
            setup, methods: calls.methods.map(\.method.fullName), all, seconds: seconds,
            interrupted: isStopped, course: state.withLock { $0.course })
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
                weights: calls.methods.map(\.weight), loop: number, loops: settings.threads,
                on: reactor)
        }
        let bound = loop.withReactor { LoopBound(callers, on: $0) }
        let isStopped = state.withLock { state in
            state.callers.append(bound)
            return state.isStopped
        }
        if isStopped { callers.stop() }
        let count =
            settings.concurrency / settings.threads
            + (number < settings.concurrency % settings.threads ? 1 : 0)
        await withTaskGroup { group in
            for _ in 0..<count {
                group.addTask(executorPreference: loop) { [self] in
                    await call(channels, bound, counters[number], countingFrom: first)
                }
            }
        }
        let notBegun = callers.notBegun(since: first)
        if notBegun > 0 {
            counters[number].addNotBegun(notBegun, weights: calls.methods.map(\.weight))
        }
    }

    /// Makes one call after the other. On the loop of the callers.
    private func call(
        _ channels: [RPCChannel], _ bound: LoopBound<LoadCallers>,
        _ counter: LoadCounter, countingFrom first: MonotonicTime
    ) async {
        let callers = bound.get()
        var now = time.monotonic()
        var isFirst = true
        while let call = await callers.next(now, isFirst: isFirst) {
            isFirst = false
            // Calls of an open loop go to all connections, however many callers are busy.
            let channel = channels[call.sequence / settings.threads % channels.count]
            var failure: RPCError?
            do throws(RPCError) { try await make(call, channel) } catch { failure = error }
            now = time.monotonic()
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
            counter.record(call.method, now - call.due, failure)
        }
    }

    private func make(_ call: LoadCallers.Call, _ channel: RPCChannel) async throws(RPCError) {
        let method = calls.methods[call.method]
        let request: EncodedMessage
        do {
            request = try calls.request(call.method, turn: call.turn, sequence: call.sequence)
        } catch { throw RPCError(.failedSerialize, error.description) }
        let metadata = calls.metadata(sequence: call.sequence)
        let options = settings.waitsForReady ? RPCCallOptions.waitForReady : .init()
        guard method.method.streamsResponses else {
            _ = try await channel.call(
                method.rpc, request, timeout: method.timeout, metadata: metadata, options: options)
            return
        }
        let replies = try await channel.serverStream(
            method.rpc, request, timeout: method.timeout, metadata: metadata, options: options)
        for try await _ in replies {}
    }

    // MARK: Course

    private func tick(
        from start: MonotonicTime, _ progress: @Sendable (LoadProgress) -> Void
    ) async {
        let first = start + settings.warmUp
        var next = first
        while true {
            next = next + Self.interval
            try? await Task.sleep(for: max(.zero, next - time.monotonic()))
            if Task.isCancelled { return }
            let now = time.monotonic()
            endInterval(at: now, since: first)
            progress(
                LoadProgress(
                    elapsed: now - start,
                    duration: settings.duration ?? settings.schedule?.duration,
                    requests: settings.requests, course: state.withLock { $0.course }))
        }
    }

    /// Adds a point to the course.
    private func endInterval(at now: MonotonicTime, since first: MonotonicTime) {
        var interval = LoadCounts.Interval()
        for counter in counters { interval.add(counter.endInterval()) }
        let latencies = LoadLatencies(interval.latencies)
        state.withLock { state in
            let seconds = (now - state.lastTick) / .seconds(1)
            if seconds <= 0 || interval.calls == 0 && seconds < 0.1 { return }
            state.lastTick = now
            let point = LoadCourse.Point(
                second: (now - first) / .seconds(1), calls: interval.calls,
                errors: interval.errors, callsPerSecond: Double(interval.calls) / seconds,
                p50: latencies.percentile(50), p99: latencies.percentile(99), max: latencies.max)
            if seconds < Self.interval / .seconds(1) / 2 {
                state.course.addRest(point)
            } else {
                state.course.add(point)
            }
        }
    }
}
