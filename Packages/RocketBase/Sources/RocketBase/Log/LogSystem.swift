public import RocketSystem
import Synchronization

/// A process's log: its two streams, its sinks, and the thread that writes. `main` makes one and
/// wires its loggers; it ends with `shutdown`, or when it goes away. Any thread.
///
/// Lines still buffered when the process exits or crashes are written too; SIGTERM and SIGINT are
/// no crashes: whoever handles them shuts down.
public final class LogSystem: Sendable {
    /// What the framework does for its calls.
    public let rpc: RocketLogger
    /// What the application has to say.
    public let app: RocketLogger
    private let writer: AsyncLogWriter

    /// Opens the sinks that `configuration` asks for and starts the writer.
    ///
    /// - Parameters:
    ///   - time: what lines are stamped with.
    ///   - sinks: further ones.
    ///   - journal: makes the journal's sink where it is asked for (RocketJournal has it). Without
    ///     it, journal lines go to the console, which marks them with their priority.
    /// - Throws: `SystemError` when the folder or a file can't be opened for writing.
    public convenience init(
        _ configuration: LogConfiguration = LogConfiguration(),
        time: any TimeSource = SystemTimeSource(), sinks: sending [any LogSink] = [],
        journal: (() -> any LogSink)? = nil
    ) throws(SystemError) {
        try self.init(drivenByHand: configuration, time: time, sinks: sinks, journal: journal)
        try writer.start()
        LogExit.watch(writer)
    }

    /// Without a thread: lines are written when `flush` is called. For tests, which choose the
    /// process's id too, and their threads' by `CurrentThread.withID`.
    init(
        drivenByHand configuration: LogConfiguration, time: any TimeSource,
        processID: Int32 = Identity.processID,
        sinks: sending [any LogSink] = [], journal: (() -> any LogSink)? = nil
    ) throws(SystemError) {
        let configuration = configuration.withinRanges()
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
            gate: LevelFilter(
                stream: .rpc, threshold: configuration.rpcLevel.rawValue, writer: writer))
        app = RocketLogger(
            gate: LevelFilter(
                stream: .app, threshold: configuration.appLevel.rawValue, writer: writer))
    }

    deinit { shutdown() }

    /// The logger of a stream.
    public func logger(_ stream: LogStream) -> RocketLogger { stream == .rpc ? rpc : app }

    /// Changes a stream's level from the next line on; nil turns it off.
    public func setLevel(_ level: LogLevel?, of stream: LogStream) {
        logger(stream).gate.threshold.store(
            level?.rawValue ?? LevelFilter.closed, ordering: .relaxed)
    }

    /// A stream's level; nil when it is off.
    public func level(of stream: LogStream) -> LogLevel? {
        LogLevel(rawValue: logger(stream).gate.threshold.load(ordering: .relaxed))
    }

    /// Waits until all lines of before are with the sinks. Blocks on the disk: not for reactors.
    public func flush() { writer.flush() }

    /// Has the writer run `answer` on its thread once it has written what waits, at the latest with
    /// the next sync; when the log was shut down, `answer` runs at once. A watchdog asks in this
    /// way whether the disk, or whatever else is written to, hangs. Does not wait.
    public func askWriter(_ answer: @escaping @Sendable () -> Void) { writer.ask(answer) }

    /// After an external rename (logrotate): writes on into files under the configured names.
    public func reopen() { writer.reopen() }

    /// Refuses further lines, writes those of before, closes the sinks and ends the thread.
    /// Later calls do nothing.
    public func shutdown() {
        writer.shutdown()
        LogExit.forget(writer)
        for stream in LogStream.allCases { setLevel(nil, of: stream) }
    }

    /// Counts up to now.
    public var statistics: LogStatistics { writer.statistics }
}

/// The writers that have to be flushed when the process exits. The one process-wide thing here,
/// as exit itself is. Entries are strong and taken out by `shutdown`: a weak reference would make
/// every use of the writer slower.
private enum LogExit {
    private static let writers = Locked<[AsyncLogWriter]>([])
    private static let register: Void = ProcessExit.run {
        for writer in writers.withLock({ $0 }) { writer.flush() }
    }

    static func watch(_ writer: AsyncLogWriter) {
        _ = register
        writers.withLock { $0.append(writer) }
    }

    static func forget(_ writer: AsyncLogWriter) {
        writers.withLock { $0.removeAll { $0 === writer } }
    }
}
