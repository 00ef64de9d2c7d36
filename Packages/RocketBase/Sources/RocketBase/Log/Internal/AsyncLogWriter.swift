import CRocketLog
import RocketSystem
import Synchronization

/// Connects loggers and sinks: owns the buffers and the thread that drains them.
///
/// Any thread may `submit`. The writer's thread drains under the lock of `consumer` when
/// `DrainSchedule` says so: once per sync interval, earlier when a line is to reach a prompt sink,
/// and at once when a buffer is half full or an ERROR waits for room. `flush`, `reopen` and
/// `shutdown` take the same lock and drain on the thread of their caller.
final class AsyncLogWriter: Sendable {
    let maxLineBytes: Int
    let time: any TimeSource
    let throttles: LogThrottles
    /// Records the lines, too; nil: nothing does.
    let flightRecorder: FlightRecorder?
    private let shards: [LogShard]
    private let consumer: Locked<LogConsumer>
    private let syncInterval: Duration
    private let errorWait: Duration
    /// The lowest level of the lines that request a drain by themselves: INFO if a sink is prompt.
    private let promptThreshold: UInt8
    /// The raw value of a `DrainSchedule.Request`.
    private let requested = FutexWord()
    /// The number of batches written; callers that wait for room wait on it.
    private let progress = FutexWord()
    /// The number of callers that wait for room.
    private let waiters = FutexWord()
    private let isStopping = Atomic(false)
    private let thread = Locked<SystemThread?>(nil)
    /// Probes of the watchdog that the thread has not acknowledged yet.
    private let probes = Locked<[@Sendable () -> Void]>([])

    init(
        _ configuration: LogConfiguration, time: any TimeSource, processID: Int32,
        sinks: sending [any LogSink]
    ) throws(SystemError) {
        maxLineBytes = configuration.maxLineBytes
        self.time = time
        flightRecorder = configuration.flightRecorder
        syncInterval = configuration.syncInterval
        errorWait = configuration.errorWait
        promptThreshold = sinks.contains { $0.isPrompt } ? LogLevel.info.rawValue : .max
        throttles = LogThrottles(
            budget: configuration.throttleBudget, interval: configuration.throttleInterval,
            time: time)
        var shards: [LogShard] = []
        for _ in 0..<configuration.bufferCount {
            let lines = configuration.flightRecorder?.lines()
            shards.append(try LogShard(bytes: configuration.bufferBytes, recordedBy: lines))
        }
        self.shards = shards
        let consumer = try LogConsumer(
            shards: shards, sinks: sinks, throttles: throttles, time: time, processID: processID,
            flushesOnCrash: configuration.flushesOnCrash)
        self.consumer = Locked(consumer)
    }

    /// Starts the thread. Without it only `flush` writes lines, as in tests.
    func start() throws(SystemError) {
        let thread = try SystemThread(name: "rocket-log") { self.run() }
        self.thread.withLock { $0 = thread }
    }

    private func run() {
        ThreadSignals.blockAllButCrashes()
        // Not `time`: the thread waits in real time, also when a test sets the clock of the lines.
        let clock = SystemTimeSource()
        var schedule = DrainSchedule(syncInterval: syncInterval, start: clock.monotonic())
        while !isStopping.load(ordering: .acquiring) {
            let (request, now) = (request, clock.monotonic())
            let wait = schedule.wait(for: request, at: now)
            if wait > .zero {
                requested.wait(while: request.rawValue, atMost: wait)
                continue
            }
            requested.exchange(DrainSchedule.Request.none.rawValue)
            schedule.drained(at: now)
            drainNow()
            acknowledgeProbes()
        }
    }

    /// Runs `acknowledge` on the thread after it has written all buffered lines; at once when the
    /// thread has ended.
    func probe(_ acknowledge: @escaping @Sendable () -> Void) {
        probes.withLock { $0.append(acknowledge) }
        if isStopping.load(ordering: .sequentiallyConsistent) { acknowledgeProbes() }
        wakeThread()
    }

    private func acknowledgeProbes() {
        let pending = probes.withLock { probes in
            defer { probes = [] }
            return probes
        }
        for acknowledge in pending { acknowledge() }
    }

    private func drainNow(reopening: Bool = false) {
        consumer.withLock { consumer in
            consumer.run { self.signalProgress() }
            if reopening { consumer.reopen() }
        }
    }

    private func signalProgress() {
        progress.increment()
        if waiters.value != 0 { progress.wakeAll() }
    }

    /// The most urgent request since the last drain began.
    var request: DrainSchedule.Request { DrainSchedule.Request(rawValue: requested.value) ?? .now }

    private func wakeThread() {
        let now = DrainSchedule.Request.now.rawValue
        if requested.value != now, requested.exchange(now) != now { requested.wakeAll() }
    }

    /// Requests a drain for a prompt sink, unless one is requested already. Always an atomic
    /// read-modify-write: its place in the order of those of the thread is what makes the line,
    /// which is in its buffer, visible to the drain.
    private func requestPromptDrain() {
        let (none, prompt) = (DrainSchedule.Request.none, DrainSchedule.Request.prompt)
        if requested.replace(none.rawValue, by: prompt.rawValue) { requested.wakeAll() }
    }

    // MARK: - Callers

    func submit(_ line: inout LogFields, _ level: LogLevel, _ stream: LogStream) {
        let record = unsafe line.finish()
        let shard = shards[CurrentThread.ordinal % shards.count]
        switch unsafe shard.append(record) {
        case .accepted(let isFilling):
            if isFilling {
                wakeThread()
            } else if level.rawValue >= promptThreshold {
                requestPromptDrain()
            }
        case .closed: shard.countDrop(stream)
        case .full:
            wakeThread()
            let isWritten = unsafe level >= .error && waitAndAppend(record, to: shard)
            if !isWritten {
                shard.countDrop(stream)
            }
        }
    }

    /// Waits for room, at most `errorWait`.
    private func waitAndAppend(
        _ record: UnsafePointer<rocket_log_record>, to shard: LogShard
    ) -> Bool {
        guard shard.allowsWaiting, errorWait > .zero else { return false }
        waiters.increment()
        defer { waiters.decrement() }
        let deadline = time.monotonic() + errorWait
        while true {
            let seen = progress.value
            switch unsafe shard.append(record, isRepeated: true) {
            case .accepted: return true
            case .closed: return false
            case .full: break
            }
            let left = deadline - time.monotonic()
            if left <= .zero {
                shard.recordTimedOutWait()
                return false
            }
            wakeThread()
            progress.wait(while: seen, atMost: left)
        }
    }

    // MARK: - Owner

    func flush() { ThreadSignals.withoutWriteSignals { drainNow() } }

    func reopen() { ThreadSignals.withoutWriteSignals { drainNow(reopening: true) } }

    /// Rejects further lines, writes all buffered ones and ends the thread. Later calls have no
    /// effect.
    func shutdown() {
        if isStopping.exchange(true, ordering: .acquiringAndReleasing) { return }
        for shard in shards { shard.close() }
        wakeThread()
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
        acknowledgeProbes()
        ThreadSignals.withoutWriteSignals {
            consumer.withLock { consumer in
                consumer.run(isLast: true) { self.signalProgress() }
                consumer.close()
            }
        }
    }

    var statistics: LogStatistics {
        var statistics = consumer.withLock { $0.statistics }
        for counts in shards.map(\.currentCounts) {
            statistics.accepted += counts.accepted
            statistics.dropped += counts.dropped.rpc + counts.dropped.app
        }
        return statistics
    }
}
