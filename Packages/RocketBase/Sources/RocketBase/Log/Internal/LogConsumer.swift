import CRocketLog
import RocketSystem

/// Takes records out of the buffers in the order of their times and passes them to the sinks.
///
/// Not thread-safe: `AsyncLogWriter` protects it by a lock. A batch ends after `batchBytes`. Only
/// then, after the sinks have written, is the room in the buffers released, so that the crash
/// handlers find all unwritten lines in the buffers.
@safe
final class LogConsumer {
    /// The position of this run in one buffer.
    private struct ShardCursor {
        let shard: LogShard
        /// The offset of the next record.
        var position: UInt64
        /// The offset after the last record of this run.
        let end: UInt64
    }

    /// The number of record bytes per batch.
    private static let batchBytes = 128 * 1024

    private let shards: [LogShard]
    private var sinks: [any LogSink]
    private let throttles: LogThrottles
    private let time: any TimeSource
    private let processID: Int32
    private let crash: LogCrashFlush?
    private var cursors: [ShardCursor] = []
    private var offset: (slot: Int64, seconds: Int32) = (.min, 0)
    private var drained: UInt64 = 0
    /// Lines lost by sinks that are closed.
    private var lost: UInt64 = 0
    private var reportedDrops: (rpc: UInt64, app: UInt64) = (0, 0)

    init(
        shards: [LogShard], sinks: [any LogSink], throttles: LogThrottles,
        time: any TimeSource, processID: Int32, flushesOnCrash: Bool
    ) throws(SystemError) {
        self.shards = shards
        self.sinks = sinks
        self.throttles = throttles
        self.time = time
        self.processID = processID
        crash = flushesOnCrash ? try LogCrashFlush(shards: shards) : nil
        cursors.reserveCapacity(shards.count)
        crash?.update(sinks: sinks, utcOffsetSeconds: utcOffset(at: time.wall()))
    }

    // MARK: - Draining

    /// Writes all lines accepted before the call. Calls `progressed` after each batch.
    ///
    /// - Parameter isLast: the log ends: also reports what was left out in intervals that last.
    func run(isLast: Bool = false, _ progressed: () -> Void) {
        cursors.removeAll(keepingCapacity: true)
        for shard in shards {
            let (position, end) = unsafe (
                rocket_log_ring_tail(shard.ring), rocket_log_ring_head(shard.ring)
            )
            if position != end {
                cursors.append(ShardCursor(shard: shard, position: position, end: end))
            }
        }
        crash?.beginBatch()
        var bytes = 0
        while let record = unsafe nextRecord() {
            unsafe write(record)
            drained += 1
            bytes += unsafe Int(record.pointee.size)
            if bytes >= Self.batchBytes {
                endBatch(progressed)
                crash?.beginBatch()
                bytes = 0
            }
        }
        reportDrops()
        reportLeftOut(all: isLast)
        endBatch(progressed)
    }

    /// Returns the oldest record that is left in any buffer, and moves its cursor.
    private func nextRecord() -> UnsafePointer<rocket_log_record>? {
        var oldest: UnsafePointer<rocket_log_record>?
        var from = 0
        for index in cursors.indices {
            guard
                let record = unsafe rocket_log_ring_at(
                    cursors[index].shard.ring, &cursors[index].position, cursors[index].end)
            else { continue }
            if let other = unsafe oldest,
                unsafe other.pointee.wall_nanoseconds <= record.pointee.wall_nanoseconds
            {
                continue
            }
            unsafe oldest = record
            from = index
        }
        if let oldest = unsafe oldest {
            unsafe cursors[from].position += UInt64(oldest.pointee.size)
        }
        return unsafe oldest
    }

    private func write(
        _ record: UnsafePointer<rocket_log_record>, except excluded: (any LogSink)? = nil
    ) {
        let time = unsafe WallTime(nanoseconds: record.pointee.wall_nanoseconds)
        let event = unsafe LogEvent(
            record, processID: processID, utcOffsetSeconds: utcOffset(at: time))
        for sink in sinks where sink !== excluded { sink.write(event) }
    }

    /// Ends the batch of all sinks, then releases the room in the buffers.
    private func endBatch(_ progressed: () -> Void) {
        let notices = sinks.compactMap { sink in sink.endBatch().map { (sink, $0) } }
        for (sink, notice) in notices { report(notice, of: sink) }
        for cursor in cursors {
            unsafe rocket_log_ring_release(cursor.shard.ring, cursor.position)
        }
        crash?.update(sinks: sinks, utcOffsetSeconds: offset.seconds)
        crash?.endBatch()
        progressed()
    }

    /// Returns the offset from UTC, computed once per quarter of an hour: offsets change only at
    /// quarters of an hour.
    private func utcOffset(at time: WallTime) -> Int32 {
        let slot = time.nanoseconds / 900_000_000_000
        if slot != offset.slot { offset = (slot, LocalTime.utcOffsetSeconds(at: time)) }
        return offset.seconds
    }

    // MARK: - Own lines

    private func reportDrops() {
        var dropped: (rpc: UInt64, app: UInt64) = (0, 0)
        for counts in shards.map(\.currentCounts) {
            dropped.rpc += counts.dropped.rpc
            dropped.app += counts.dropped.app
        }
        reportDrops(.rpc, dropped.rpc - reportedDrops.rpc)
        reportDrops(.app, dropped.app - reportedDrops.app)
        reportedDrops = dropped
    }

    private func reportDrops(_ stream: LogStream, _ count: UInt64) {
        guard count > 0 else { return }
        log(.warn, stream, "log lines dropped, the buffer was full") { $0.add("dropped", count) }
    }

    private func reportLeftOut(all: Bool) {
        for (kind, count) in throttles.takeLeftOut(all: all) {
            log(kind.level, kind.stream, "more lines like this were left out") {
                $0.add("like", kind.message)
                $0.add("left_out", count)
            }
        }
    }

    private func report(_ notice: LogSinkNotice, of sink: any LogSink) {
        switch notice {
        case .failing(let error):
            if sinks.count == 1 {
                Self.writeToStandardError("log lines are being lost: \(error)")
            }
            log(.error, .app, "log lines are being lost", except: sink) {
                $0.add("sink", String(describing: type(of: sink)))
                $0.add("error", error)
            }
            for other in sinks where other !== sink { _ = other.endBatch() }
        case .recovered(let lost):
            log(.warn, .app, "log lines are written again") {
                $0.add("sink", String(describing: type(of: sink)))
                $0.add("lost", lost)
            }
            for other in sinks { _ = other.endBatch() }
        }
    }

    private func log(
        _ level: LogLevel, _ stream: LogStream, _ message: StaticString,
        except excluded: (any LogSink)? = nil, line: UInt = #line,
        _ fields: (inout LogFields) -> Void
    ) {
        // SAFETY: the temporary memory outlives `record`.
        unsafe withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 8) {
            var record = unsafe LogFields(in: $0, limit: 4096)
            let location = SourceLocation(file: #fileID, line: line, function: #function)
            record.start(level, stream, at: time.wall(), location)
            record.setMessage(message)
            fields(&record)
            unsafe write(record.finish(), except: excluded)
        }
    }

    private static func writeToStandardError(_ line: String) {
        _ = SharedOutput(StandardStream.error).write(
            StandardStream.errorLine(line) + "\n", waitingAtMost: .zero)
    }

    // MARK: - Owner

    func reopen() {
        crash?.beginBatch()
        for sink in sinks { sink.reopen() }
        crash?.update(sinks: sinks, utcOffsetSeconds: offset.seconds)
        crash?.endBatch()
    }

    /// Releases the sinks, after adding up their lost lines.
    func close() {
        crash?.update(sinks: [], utcOffsetSeconds: offset.seconds)
        lost = sinks.reduce(0) { $0 + $1.lostLines }
        sinks = []
    }

    /// The counts of drained and lost lines; the others are zero.
    var statistics: LogStatistics {
        var statistics = LogStatistics()
        statistics.drained = drained
        statistics.lost = sinks.reduce(lost) { $0 + $1.lostLines }
        return statistics
    }
}
