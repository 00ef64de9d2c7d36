/// The settings of a `LogSystem`. Values out of range are clamped.
public struct LogConfiguration: Sendable {
    /// The destinations of lines; several can be combined.
    public enum Output: String, CaseIterable, Sendable {
        /// Rolling files, configured by `file`.
        case file
        /// Standard error.
        case console
        /// The systemd journal, by a sink of the RocketJournal module.
        case journal
        /// The journal when standard error is connected to it (JOURNAL_STREAM), otherwise files.
        case auto
    }

    /// The settings of the rolling files of both streams.
    public struct File: Sendable {
        /// The folder; it is created when it is missing. Default `.`
        public var folder = "."
        /// The prefix of file names, `NAME_rpc_YYYYMMDD_log.N`; without a slash. Default `rocket`.
        public var name = "rocket"
        /// The largest size of a file in bytes: a line that would exceed it goes to the next file.
        /// 1 KiB or more. Default 1 GB.
        public var maxBytes = 1_000_000_000
        /// The number of files per stream that are kept, with the current one. 0: all.
        /// Default 100.
        public var maxFiles = 100
        /// The total size of the files per stream that are kept, in bytes. The current file is
        /// never removed and counts with `maxBytes`. 0: no limit. Default 10 GB.
        public var maxTotalBytes = 10_000_000_000

        /// The mode of new files, whatever the umask; a new folder also lets those in who may read
        /// or write its files. Default 0600: only the user of the process.
        public var mode: UInt32 = 0o600

        /// All settings have their defaults.
        public init() {}

        /// The mode of new folders.
        var folderMode: UInt32 { 0o700 | mode | (mode & 0o444) >> 2 }
    }

    /// The lowest level of the rpc stream that is written. Default INFO.
    public var rpcLevel = LogLevel.info
    /// The lowest level of the app stream that is written. Default INFO.
    public var appLevel = LogLevel.info
    /// The destinations. Without any, lines are counted and discarded. Default `[.file]`.
    public var outputs: Set<Output> = [.file]
    /// The settings of the rolling files.
    public var file = File()
    /// The longest time that a line stays in memory; at INFO or above it is 50 ms for lines that go
    /// to the journal or the console, too. 1 ms or more. Default 500 ms.
    public var syncInterval = Duration.milliseconds(500)
    /// The number of buffers, among which threads are distributed. 1 to 256. Default 16.
    public var bufferCount = 16
    /// The size of each buffer in bytes; lines that do not fit are dropped and counted. A power of
    /// two (rounded down) from 64 KiB to 1 GiB. Default 1 MiB. Unused memory is not touched.
    public var bufferBytes = 1 << 20
    /// The largest size of a line in bytes; longer lines are cut. 1 KiB to an eighth of
    /// `bufferBytes`. Default 64 KiB.
    public var maxLineBytes = 64 * 1024
    /// The longest time that a log call at ERROR or CRITICAL waits for room in a full buffer. 0 to
    /// 100 ms. Default 5 ms.
    public var errorWait = Duration.milliseconds(5)
    /// The largest number of lines of one kind per `throttleInterval`, for lines that peers can
    /// cause at will (`RocketLogger.throttled`); the rest is counted. 1 or more. Default 20.
    public var throttleBudget = 20
    /// The interval of `throttleBudget`. 1 ms or more. Default 10 s.
    public var throttleInterval = Duration.seconds(10)
    /// Records the last lines, too, in a file that survives every end of the process. Default nil.
    public var flightRecorder: FlightRecorder?
    /// Whether buffered lines are written when the process crashes (SIGSEGV, SIGABRT, SIGBUS,
    /// SIGFPE, SIGILL, SIGTRAP). Default true.
    public var flushesOnCrash = true

    /// All settings have their defaults.
    public init() {}

    /// Takes the settings from the `log` section of a configuration; settings that the section
    /// lacks have their defaults.
    public init(_ log: LogConfig) {
        self.init()
        rpcLevel = log.effectiveRPCLevel
        appLevel = log.effectiveAppLevel
        outputs = Set(log.sinks)
        file.folder = log.filePath
        file.name = log.fileName
        file.maxBytes = log.maxFileSizeBytes
        file.maxFiles = log.keepFiles
        file.maxTotalBytes = log.keepBytes
        file.mode = UInt32(clamping: log.fileMode)
        syncInterval = log.syncInterval
        bufferBytes = log.backlogBytes / bufferCount
    }

    /// Returns the outputs with `auto` resolved, and the console in place of a missing journal.
    func effectiveOutputs(errorIsJournal: Bool, hasJournal: Bool) -> Set<Output> {
        var effective = outputs
        if effective.remove(.auto) != nil { effective.insert(errorIsJournal ? .journal : .file) }
        if !hasJournal, effective.remove(.journal) != nil { effective.insert(.console) }
        return effective
    }

    /// Returns a copy with all values clamped to their ranges.
    func withinRanges() -> LogConfiguration {
        var valid = self
        valid.file.maxBytes = max(1024, file.maxBytes)
        valid.file.maxFiles = max(0, file.maxFiles)
        valid.file.maxTotalBytes = max(0, file.maxTotalBytes)
        valid.file.mode = (file.mode & 0o666) | 0o600
        valid.syncInterval = max(.milliseconds(1), syncInterval)
        valid.bufferCount = min(max(1, bufferCount), 256)
        valid.bufferBytes = 1 << 16
        while valid.bufferBytes * 2 <= min(bufferBytes, 1 << 30) { valid.bufferBytes *= 2 }
        valid.maxLineBytes = min(max(1024, maxLineBytes), valid.bufferBytes / 8) & ~7
        valid.throttleBudget = max(1, throttleBudget)
        valid.throttleInterval = max(.milliseconds(1), throttleInterval)
        valid.errorWait = min(max(.zero, errorWait), .milliseconds(100))
        return valid
    }
}
