public import RocketSystem
import Synchronization

/// The log of a process: two streams, the sinks, and the thread that writes. `main` creates one and
/// passes its loggers on. It ends with `shutdown`, or with its deinit. Any thread.
///
/// Lines that are still buffered when the process exits or crashes are written, too. SIGTERM and
/// SIGINT are not crashes: without a handler that calls `shutdown` their buffered lines are lost.
public final class LogSystem: Sendable {
    /// Logger of the framework.
    public let rpc: RocketLogger
    /// Logger of the application.
    public let app: RocketLogger
    /// Records the last lines; nil: nothing does. `shutdown` closes it.
    public let flightRecorder: FlightRecorder?
    private let writer: AsyncLogWriter

    /// Opens the sinks that `configuration` names and starts the writer's thread.
    ///
    /// - Parameters:
    ///   - time: the clock of the lines' time stamps.
    ///   - sinks: additional sinks.
    ///   - journal: creates the sink for the journal output (RocketJournal has one). Without it the
    ///     lines of that output go to the console, with the priority prefix of systemd.
    /// - Throws: `SystemError` when the folder or a file can't be opened for writing.
    public convenience init(
        _ configuration: LogConfiguration = LogConfiguration(),
        time: any TimeSource = SystemTimeSource(), sinks: sending [any LogSink] = [],
        journal: (() -> any LogSink)? = nil
    ) throws(SystemError) {
        try self.init(drivenByHand: configuration, time: time, sinks: sinks, journal: journal)
        try writer.start()
        LogExitFlush.register(writer)
    }

    /// A system without a thread, for tests: lines are written by `flush`. Tests also choose the id
    /// of the process here, and those of their threads by `CurrentThread.withID`.
    init(
        drivenByHand configuration: LogConfiguration, time: any TimeSource,
        processID: Int32 = CurrentProcess.processID,
        sinks: sending [any LogSink] = [], journal: (() -> any LogSink)? = nil
    ) throws(SystemError) {
        let configuration = configuration.withinRanges()
        flightRecorder = configuration.flightRecorder
        var all = sinks
        let outputs = configuration.effectiveOutputs(
            errorIsJournal: StandardStream.errorIsJournal, hasJournal: journal != nil)
        if outputs.contains(.file) {
            all.append(
                try RollingFileSink(
                    configuration.file, now: time.wall(),
                    maxLineBytes: configuration.maxLineBytes))
        }
        if outputs.contains(.journal), let journal { all.append(journal()) }
        if outputs.contains(.console) {
            all.append(ConsoleSink(besideJournal: outputs.contains(.journal)))
        }
        let writer = try AsyncLogWriter(
            configuration, time: time, processID: processID, sinks: all)
        self.writer = writer
        rpc = RocketLogger(
            filter: LevelFilter(
                stream: .rpc, threshold: configuration.rpcLevel.rawValue, writer: writer))
        app = RocketLogger(
            filter: LevelFilter(
                stream: .app, threshold: configuration.appLevel.rawValue, writer: writer))
    }

    deinit { shutdown() }

    /// Returns the logger of a stream.
    public func logger(_ stream: LogStream) -> RocketLogger { stream == .rpc ? rpc : app }

    /// Sets the lowest level of a stream that is written, from the next line on; nil: no level.
    public func setLevel(_ level: LogLevel?, of stream: LogStream) {
        logger(stream).filter.threshold.store(
            level?.rawValue ?? LevelFilter.off, ordering: .relaxed)
    }

    /// Returns the lowest level of a stream that is written; nil: no level.
    public func level(of stream: LogStream) -> LogLevel? {
        LogLevel(rawValue: logger(stream).filter.threshold.load(ordering: .relaxed))
    }

    /// Blocks until the sinks have received all lines written before the call. It waits for the
    /// disk, so it must not be called on an event loop.
    public func flush() { writer.flush() }

    /// Runs `acknowledge` on the writer's thread after it has written all buffered lines, at the
    /// latest after the next sync interval; at once when the system was shut down. Does not block.
    ///
    /// A watchdog detects in this way that the disk, or another destination, hangs.
    public func probeWriter(_ acknowledge: @escaping @Sendable () -> Void) {
        writer.probe(acknowledge)
    }

    /// Opens the files again under their configured names: call it after an external rename
    /// (logrotate).
    public func reopen() { writer.reopen() }

    /// Rejects further lines, writes all buffered ones, closes the sinks and ends the thread. Later
    /// calls have no effect.
    public func shutdown() {
        writer.shutdown()
        LogExitFlush.unregister(writer)
        flightRecorder?.close()
        for stream in LogStream.allCases { setLevel(nil, of: stream) }
    }

    /// The line counts up to now.
    public var statistics: LogStatistics { writer.statistics }
}

/// The line counts of a log system. `accepted + dropped` is the number of log calls at enabled
/// levels.
public struct LogStatistics: Sendable, Equatable {
    /// Lines that were put into a buffer.
    public var accepted: UInt64 = 0
    /// Lines that were discarded because the buffer was full or the system shut down.
    public var dropped: UInt64 = 0
    /// Lines that were passed to the sinks, without the log system's own lines.
    public var drained: UInt64 = 0
    /// Lines that a sink could not write (full disk, closed pipe), summed over the sinks.
    public var lost: UInt64 = 0

    /// All counts are zero.
    public init() {}
}

/// The writers to flush when the process exits: the only process-wide state of the log, because
/// exit itself is process-wide. The references are strong, and `shutdown` removes them; a weak
/// reference would make every use of the writer slower.
private enum LogExitFlush {
    private static let writers = Locked<[AsyncLogWriter]>([])
    private static let exitHandler: Void = ProcessExit.run {
        for writer in writers.withLock({ $0 }) {
            writer.flush()
            // The process ends by itself: it has not crashed.
            writer.flightRecorder?.close()
        }
    }

    static func register(_ writer: AsyncLogWriter) {
        _ = exitHandler
        writers.withLock { $0.append(writer) }
    }

    static func unregister(_ writer: AsyncLogWriter) {
        writers.withLock { $0.removeAll { $0 === writer } }
    }
}
