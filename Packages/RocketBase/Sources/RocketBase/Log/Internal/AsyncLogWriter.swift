import CRocketLog
import RocketSystem
import Synchronization

/// Between the loggers and the sinks: the buffers, and the thread that empties them.
///
/// Callers on any thread `submit`. The thread wakes every sync interval, or sooner when a buffer
/// is half full or an ERROR waits, and drains under `drain`'s lock; `flush`, `reopen` and
/// `shutdown` take the same lock and drain on the thread of their caller.
final class AsyncLogWriter: Sendable {
    let maxLineBytes: Int
    let time: any TimeSource
    private let shards: [LogShard]
    private let drain: Locked<LogConsumer>
    private let syncInterval: Duration
    private let errorWait: Duration
    /// 1: the thread has a reason to come at once.
    private let wakeup = FutexWord()
    /// Counts the batches written; who waits for room sleeps on it.
    private let progress = FutexWord()
    private let waiters = FutexWord()
    private let isStopping = Atomic(false)
    private let thread = Locked<SystemThread?>(nil)
    /// Who asked whether the thread moves.
    private let questions = Locked<[@Sendable () -> Void]>([])

    init(
        _ configuration: LogConfiguration, time: any TimeSource, processID: Int32,
        sinks: sending [any LogSink]
    ) throws(SystemError) {
        maxLineBytes = configuration.maxLineBytes
        self.time = time
        syncInterval = configuration.syncInterval
        errorWait = configuration.errorWait
        var shards: [LogShard] = []
        for _ in 0..<configuration.bufferCount {
            shards.append(try LogShard(bytes: configuration.bufferBytes))
        }
        self.shards = shards
        let drain = try LogConsumer(
            shards: shards, sinks: sinks, time: time, processID: processID,
            flushesOnCrash: configuration.flushesOnCrash)
        self.drain = Locked(drain)
    }

    /// Starts the thread. Without it lines are written by `flush` alone, as tests do.
    func start() throws(SystemError) {
        let thread = try SystemThread(name: "rocket-log") { self.run() }
        self.thread.withLock { $0 = thread }
    }

    private func run() {
        ThreadSignals.blockAllButCrashes()
        while !isStopping.load(ordering: .acquiring) {
            if wakeup.exchange(0) == 0 { wakeup.wait(while: 0, atMost: syncInterval) }
            wakeup.exchange(0)
            drainNow()
            answerQuestions()
        }
    }

    /// Has the thread run `answer` once it has written what waits; at once when it has ended.
    func ask(_ answer: @escaping @Sendable () -> Void) {
        questions.withLock { $0.append(answer) }
        if isStopping.load(ordering: .sequentiallyConsistent) { answerQuestions() }
        wakeThread()
    }

    private func answerQuestions() {
        let asked = questions.withLock { questions in
            defer { questions = [] }
            return questions
        }
        for answer in asked { answer() }
    }

    private func drainNow(reopening: Bool = false) {
        drain.withLock { drain in
            drain.run { self.tellProgress() }
            if reopening { drain.reopen() }
        }
    }

    private func tellProgress() {
        progress.increment()
        if waiters.value != 0 { progress.wakeAll() }
    }

    private func wakeThread() {
        if wakeup.value == 0, wakeup.exchange(1) == 0 { wakeup.wakeAll() }
    }

    // MARK: - Callers

    func submit(_ line: inout LogFields, _ level: LogLevel, _ stream: LogStream) {
        let record = unsafe line.finish()
        let shard = shards[CurrentThread.ordinal % shards.count]
        switch unsafe shard.append(record) {
        case .accepted(let isFilling): if isFilling { wakeThread() }
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
        guard shard.isWorthWaiting, errorWait > .zero else { return false }
        waiters.increment()
        defer { waiters.decrement() }
        let deadline = time.monotonic() + errorWait
        while true {
            let seen = progress.value
            switch unsafe shard.append(record) {
            case .accepted: return true
            case .closed: return false
            case .full: break
            }
            let left = deadline - time.monotonic()
            if left <= .zero {
                shard.noteVainWait()
                return false
            }
            wakeThread()
            progress.wait(while: seen, atMost: left)
        }
    }

    // MARK: - The owner

    func flush() { ThreadSignals.withoutWriteSignals { drainNow() } }

    func reopen() { ThreadSignals.withoutWriteSignals { drainNow(reopening: true) } }

    /// Refuses further lines, writes those of before and ends the thread. Later calls do nothing.
    func shutdown() {
        if isStopping.exchange(true, ordering: .acquiringAndReleasing) { return }
        for shard in shards { shard.close() }
        wakeup.exchange(1)
        wakeup.wakeAll()
        thread.withLock { thread in
            defer { thread = nil }
            return thread
        }?.join()
        answerQuestions()
        ThreadSignals.withoutWriteSignals {
            drain.withLock { drain in
                drain.run { self.tellProgress() }
                drain.close()
            }
        }
    }

    var statistics: LogStatistics {
        var statistics = drain.withLock { $0.statistics }
        for counts in shards.map(\.currentCounts) {
            statistics.accepted += counts.accepted
            statistics.dropped += counts.dropped.rpc + counts.dropped.app
        }
        return statistics
    }
}
