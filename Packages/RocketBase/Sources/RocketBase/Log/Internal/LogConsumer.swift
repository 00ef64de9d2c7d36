import CRocketLog
import RocketSystem

/// Takes records out of the buffers in the order of their times and gives them to the sinks.
///
/// Not thread-safe: `AsyncLogWriter` holds it in a lock. A batch ends when a good part of a buffer
/// has been formatted: then the sinks have written, and only then is the room given back, so that
/// the crash path finds everything unwritten still in the buffers.
@safe
final class LogConsumer {
    /// One buffer, and how far this round has come in it.
    private struct Lane {
        let shard: LogShard
        var cursor: UInt64
        var end: UInt64
    }

    /// How much is formatted between two writes.
    private static let batchBytes = 128 * 1024

    private let shards: [LogShard]
    private var sinks: [any LogSink]
    private let time: any TimeSource
    private let processID: Int32
    private let crash: LogCrashFlush?
    private var lanes: [Lane] = []
    private var offset: (slot: Int64, seconds: Int32) = (.min, 0)
    private var drained: UInt64 = 0
    private var reportedDrops: (rpc: UInt64, app: UInt64) = (0, 0)

    init(
        shards: [LogShard], sinks: [any LogSink], time: any TimeSource, processID: Int32,
        flushesOnCrash: Bool
    ) throws(SystemError) {
        self.shards = shards
        self.sinks = sinks
        self.time = time
        self.processID = processID
        crash = flushesOnCrash ? try LogCrashFlush(shards: shards) : nil
        lanes.reserveCapacity(shards.count)
        crash?.update(sinks: sinks, utcOffsetSeconds: utcOffset(at: time.wall()))
    }

    // MARK: - A round

    /// Writes everything that was accepted before the call. `progressed` follows each batch.
    func run(_ progressed: () -> Void) {
        lanes.removeAll(keepingCapacity: true)
        for shard in shards {
            let (cursor, end) = unsafe (
                rocket_log_ring_tail(shard.ring), rocket_log_ring_head(shard.ring)
            )
            if cursor != end { lanes.append(Lane(shard: shard, cursor: cursor, end: end)) }
        }
        crash?.beginBatch()
        var bytes = 0
        while let event = unsafe nextRecord() {
            unsafe write(event)
            drained += 1
            bytes += unsafe Int(event.pointee.size)
            if bytes >= Self.batchBytes {
                endBatch(progressed)
                crash?.beginBatch()
                bytes = 0
            }
        }
        reportDrops()
        endBatch(progressed)
    }

    /// The oldest record that is left in any lane.
    private func nextRecord() -> UnsafePointer<rocket_log_record>? {
        var oldest: UnsafePointer<rocket_log_record>?
        var from = 0
        for index in lanes.indices {
            guard
                let record = unsafe rocket_log_ring_at(
                    lanes[index].shard.ring, &lanes[index].cursor, lanes[index].end)
            else { continue }
            if let other = unsafe oldest,
                unsafe other.pointee.wall_nanoseconds <= record.pointee.wall_nanoseconds
            {
                continue
            }
            unsafe oldest = record
            from = index
        }
        if let oldest = unsafe oldest { unsafe lanes[from].cursor += UInt64(oldest.pointee.size) }
        return unsafe oldest
    }

    private func write(
        _ record: UnsafePointer<rocket_log_record>, except silent: (any LogSink)? = nil
    ) {
        let time = unsafe WallTime(nanoseconds: record.pointee.wall_nanoseconds)
        let event = unsafe LogEvent(
            record, processID: processID, utcOffsetSeconds: utcOffset(at: time))
        for sink in sinks where sink !== silent { sink.write(event) }
    }

    /// Lets the sinks write, then gives the room back.
    private func endBatch(_ progressed: () -> Void) {
        let notices = sinks.compactMap { sink in sink.endBatch().map { (sink, $0) } }
        for (sink, notice) in notices { report(notice, of: sink) }
        for lane in lanes { unsafe rocket_log_ring_release(lane.shard.ring, lane.cursor) }
        crash?.update(sinks: sinks, utcOffsetSeconds: offset.seconds)
        crash?.endBatch()
        progressed()
    }

    /// Zones change at quarters of an hour, so libc is asked once for each.
    private func utcOffset(at time: WallTime) -> Int32 {
        let slot = time.nanoseconds / 900_000_000_000
        if slot != offset.slot { offset = (slot, LocalTime.utcOffsetSeconds(at: time)) }
        return offset.seconds
    }

    // MARK: - Lines of its own

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
        say(.warn, stream, "log lines dropped, the buffer was full") { $0.add("dropped", count) }
    }

    private func report(_ notice: LogSinkNotice, of sink: any LogSink) {
        switch notice {
        case .failing(let error):
            if sinks.count == 1 { Self.sayOnStandardError("log lines are being lost: \(error)\n") }
            say(.error, .app, "log lines are being lost", except: sink) {
                $0.add("sink", String(describing: type(of: sink)))
                $0.add("error", error)
            }
            for other in sinks where other !== sink { _ = other.endBatch() }
        case .recovered(let lost):
            say(.warn, .app, "log lines are written again") {
                $0.add("sink", String(describing: type(of: sink)))
                $0.add("lost", lost)
            }
            for other in sinks { _ = other.endBatch() }
        }
    }

    private func say(
        _ level: LogLevel, _ stream: LogStream, _ message: StaticString,
        except silent: (any LogSink)? = nil, line: UInt = #line,
        _ fields: (inout LogFields) -> Void
    ) {
        // SAFETY: the temporary memory outlives `record`.
        unsafe withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 8) {
            var record = unsafe LogFields(in: $0, limit: 4096)
            let place = SourceLocation(file: #fileID, line: line, function: #function)
            record.start(level, stream, at: time.wall(), place)
            record.setMessage(message)
            fields(&record)
            unsafe write(record.finish(), except: silent)
        }
    }

    private static func sayOnStandardError(_ text: String) {
        var text = text
        text.withUTF8 {
            _ = unsafe RawWrite.all(
                UnsafeRawBufferPointer($0), to: StandardStream.error, waitingAtMost: .zero)
        }
    }

    // MARK: - The owner

    func reopen() {
        crash?.beginBatch()
        for sink in sinks { sink.reopen() }
        crash?.update(sinks: sinks, utcOffsetSeconds: offset.seconds)
        crash?.endBatch()
    }

    /// Lets go of the sinks.
    func close() {
        crash?.update(sinks: [], utcOffsetSeconds: offset.seconds)
        lost = sinks.reduce(0) { $0 + $1.lostLines }
        sinks = []
    }

    private var lost: UInt64 = 0

    /// The part of the statistics that this knows.
    var statistics: LogStatistics {
        var statistics = LogStatistics()
        statistics.drained = drained
        statistics.lost = sinks.reduce(lost) { $0 + $1.lostLines }
        return statistics
    }
}
