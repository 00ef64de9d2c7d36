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
        /// Of a closed loop whose number of callers changes: at most `concurrency`.
        var callers: LoadSchedule?
        /// Whether the report has a part for each stage of one of them.
        var hasStages = false
        var duration: Duration?
        var requests: Int?
        /// Calls that are due before it has passed are not counted.
        var warmUp = Duration.zero
        var waitsForReady = false
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
    /// One for each loop.
    private let counters: [LoadCounter]
    /// The same for latencies from when calls were begun; empty unless wanted.
    private let countersFromBegin: [LoadCounter]
    /// The same by stage in place of method; empty without stages.
    private let stageCounters: [LoadCounter]
    private let stages: LoadStages
    private let state = Locked(State())

    private struct State {
        var isStopped = false
        var callers: [LoopBound<LoadCallers>] = []
        var course = LoadCourse()
        var lastTick = MonotonicTime(nanoseconds: 0)
        /// The share of its time in which the busiest loop worked, 0 to 1.
        var busy = 0.0
        var reportFromBegin: LoadReport?
    }

    init(_ calls: LoadCalls, _ settings: Settings) {
        self.calls = calls
        self.settings = settings
        func counters(_ isWanted: Bool, _ methods: Int) -> [LoadCounter] {
            (0..<(isWanted ? settings.threads : 0)).map { _ in LoadCounter(methods: methods) }
        }
        stages =
            if !settings.hasStages { .none } else if let schedule = settings.schedule {
                LoadStages(ofRate: schedule)
            } else if let callers = settings.callers {
                LoadStages(ofCallers: callers)
            } else { .none }
        self.counters = counters(true, calls.methods.count)
        countersFromBegin = counters(settings.countsFromBegin, calls.methods.count)
        stageCounters = counters(!stages.ends.isEmpty, stages.ends.count)
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
        endInterval(at: time.monotonic(), since: start)
        for channel in channels { channel.close() }
        await threads.shutdown()
        if settings.countsFromBegin {
            let fromBegin = report(setup, countersFromBegin, seconds)
            state.withLock { $0.reportFromBegin = fromBegin }
        }
        var result = report(setup, counters, seconds)
        result.stages = stageReports(elapsed: time.monotonic() - start)
        return result
    }

    /// The calls of each stage; nil: there are none.
    private func stageReports(elapsed: Duration) -> [LoadReport.Stage]? {
        guard !stageCounters.isEmpty, let schedule = settings.schedule ?? settings.callers else {
            return nil
        }
        var all = LoadCounts(methods: stages.ends.count)
        for counter in stageCounters { all.add(counter.all) }
        var start = Duration.zero
        return zip(schedule.stages, zip(stages.ends, all.methods)).map { stage, counted in
            let (end, counts) = counted
            // Without the warm-up, and what was not reached.
            let measured = min(end, elapsed) - max(start, settings.warmUp)
            start = end
            return LoadReport.Stage(
                from: stage.from, to: stage.to,
                unit: settings.callers == nil ? "calls/s" : "callers", seconds: stage.seconds,
                calls: .init("", counts, seconds: max(0, measured / .seconds(1))))
        }
    }

    private func report(
        _ setup: LoadReport.Setup, _ counters: [LoadCounter], _ seconds: Double
    ) -> LoadReport {
        var all = LoadCounts(methods: calls.methods.count)
        for counter in counters { all.add(counter.all) }
        let (course, busy) = state.withLock { ($0.course, $0.busy) }
        var report = LoadReport(
            setup, methods: calls.methods.map(\.method.fullName), all, seconds: seconds,
            interrupted: isStopped, course: course)
        report.client = .init(busyPercent: busy * 100)
        return report
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
        let busy = loop.withReactor { WorkedTime($0) }.share(since: before)
        state.withLock { $0.busy = max($0.busy, busy) }
        let notBegun = callers.notBegun(since: first)
        if notBegun > 0 {
            counters[number].addNotBegun(notBegun, weights: calls.methods.map(\.weight))
        }
        var stageStart = first
        for (index, end) in stages.ends.enumerated() where start + end > first {
            let count = callers.notBegun(since: stageStart) - callers.notBegun(since: start + end)
            stageStart = start + end
            if count > 0 {
                stageCounters[number].addNotBegun(
                    count, weights: stages.ends.indices.map { $0 == index ? 1 : 0 })
            }
        }
    }

    /// Makes one call after the other. On the loop of the callers.
    private func call(
        _ channels: [RPCChannel], _ bound: LoopBound<LoadCallers>, _ number: Int,
        _ caller: Int, countingFrom first: MonotonicTime
    ) async {
        let callers = bound.get()
        let counter = counters[number]
        let counterFromBegin = settings.countsFromBegin ? countersFromBegin[number] : nil
        let stageCounter = stageCounters.isEmpty ? nil : stageCounters[number]
        var now = time.monotonic()
        var isFirst = true
        while let call = await callers.next(now, caller: caller, isFirst: isFirst) {
            isFirst = false
            // Calls of an open loop go to all connections, however many callers are busy.
            let channel = channels[call.sequence / settings.threads % channels.count]
            var failure: RPCError?
            let begin = counterFromBegin == nil ? call.due : time.monotonic()
            var messages: LoadMessages?
            do throws(RPCError) { try await make(call, channel, &messages) } catch {
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
            counter.record(call.method, end - call.due, failure)
            if let messages { counter.record(call.method, messages) }
            counterFromBegin?.record(call.method, end - begin, failure)
            stageCounter?.record(call.stage, end - call.due, failure)
        }
    }

    /// - Parameter messages: set for a call with a stream, also if it fails.
    private func make(
        _ call: LoadCallers.Call, _ channel: RPCChannel, _ messages: inout LoadMessages?
    ) async throws(RPCError) {
        let method = calls.methods[call.method]
        let metadata = calls.metadata(sequence: call.sequence)
        let options = settings.waitsForReady ? RPCCallOptions.waitForReady : .init()
        if method.method.streamsRequests {
            let requests: LoadCalls.Messages
            do {
                requests = try calls.messages(
                    call.method, turn: call.turn, sequence: call.sequence)
            } catch { throw RPCError(.failedSerialize, error.description) }
            var counts = LoadMessages()
            defer { messages = counts }
            return try await LoadExchange.run(
                method, requests,
                RPCController(timeout: method.timeout, metadata: metadata, options: options),
                over: channel, counting: &counts)
        }
        let request: EncodedMessage
        do {
            request = try calls.request(call.method, turn: call.turn, sequence: call.sequence)
        } catch { throw RPCError(.failedSerialize, error.description) }
        guard method.method.streamsResponses else {
            _ = try await channel.call(
                method.rpc, request, timeout: method.timeout, metadata: metadata, options: options)
            return
        }
        let replies = try await channel.serverStream(
            method.rpc, request, timeout: method.timeout, metadata: metadata, options: options)
        var counts = LoadMessages(sent: 1)
        defer { messages = counts }
        for try await _ in replies { counts.received += 1 }
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
            endInterval(at: now, since: start)
            progress(
                LoadProgress(
                    elapsed: now - start,
                    duration: settings.duration ?? settings.schedule?.duration,
                    requests: settings.requests, course: state.withLock { $0.course }))
        }
    }

    /// Adds a point to the course.
    private func endInterval(at now: MonotonicTime, since start: MonotonicTime) {
        var interval = LoadCounts.Interval()
        for counter in counters { interval.add(counter.endInterval()) }
        let latencies = LoadLatencies(interval.latencies)
        state.withLock { state in
            let seconds = (now - state.lastTick) / .seconds(1)
            if seconds <= 0 || interval.calls == 0 && seconds < 0.1 { return }
            let began = state.lastTick - start
            state.lastTick = now
            func mean(_ schedule: LoadSchedule?) -> Double? {
                schedule.map { $0.mean(from: began, to: now - start) }
            }
            let point = LoadCourse.Point(
                second: (now - start - settings.warmUp) / .seconds(1), calls: interval.calls,
                errors: interval.errors, callsPerSecond: Double(interval.calls) / seconds,
                targetPerSecond: mean(settings.schedule), callers: mean(settings.callers),
                p50Ms: latencies.percentile(50), p99Ms: latencies.percentile(99),
                maxMs: latencies.max)
            if seconds < Self.interval / .seconds(1) / 2 {
                state.course.addRest(point)
            } else {
                state.course.add(point)
            }
        }
    }
}

/// How long a loop has worked, and waited for events. A value.
private struct WorkedTime {
    private let worked: UInt64
    private let waited: UInt64

    init(_ reactor: Reactor) {
        (worked, waited) = (reactor.workedNanoseconds, reactor.waitedNanoseconds)
    }

    /// The share of the time since then in which it worked, 0 to 1.
    func share(since former: WorkedTime) -> Double {
        let work = Double(worked - former.worked)
        let all = work + Double(waited - former.waited)
        return all > 0 ? work / all : 0
    }
}
