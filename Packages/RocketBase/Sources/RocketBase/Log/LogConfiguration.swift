/// How a `LogSystem` logs. Values out of range are brought to the nearest end of it.
public struct LogConfiguration: Sendable {
    /// Where lines can go; any number of them at once.
    public enum Output: String, CaseIterable, Sendable {
        /// Rolling files, as `file` says.
        case file
        /// Standard error.
        case console
        /// The systemd journal, through a sink of the RocketJournal module.
        case journal
        /// The journal where standard error is connected to it (JOURNAL_STREAM), else files.
        case auto
    }

    /// The rolling files of both streams.
    public struct File: Sendable {
        /// The folder; made when it is missing. Default `.`
        public var folder = "."
        /// What file names begin with: `NAME_rpc_YYYYMMDD_log.N`. Default `rocket`; no slash.
        public var name = "rocket"
        /// A file is full when the next line would pass this. Bytes, 1 KiB or more. Default 1 GB.
        public var maxBytes = 1_000_000_000
        /// How many files are kept of each stream, the current one included. 0: all.
        /// Default 100.
        public var maxFiles = 100
        /// How many bytes are kept of each stream, the current file counted as full; it always
        /// stays. 0: no limit.
        /// Default 10 GB.
        public var maxTotalBytes = 10_000_000_000

        /// Every field at its default.
        public init() {}
    }

    /// The lowest level of the rpc stream that is written. Default INFO.
    public var rpcLevel = LogLevel.info
    /// The lowest level of the app stream that is written. Default INFO.
    public var appLevel = LogLevel.info
    /// Default `[.file]`. None at all: lines are counted and go nowhere.
    public var outputs: Set<Output> = [.file]
    /// The rolling files.
    public var file = File()
    /// The longest time that a line stays in memory. 1 ms or more. Default 500 ms.
    public var syncInterval = Duration.milliseconds(500)
    /// How many buffers there are; threads are spread over them. 1 to 256. Default 16.
    public var bufferCount = 16
    /// The size of each buffer: at this backlog lines are dropped and counted. Bytes, a power of
    /// two (rounded down) from 64 KiB to 1 GiB. Default 1 MiB. Memory is touched only as far as it is used.
    public var bufferBytes = 1 << 20
    /// The longest line; longer ones are cut. 1 KiB to an eighth of `bufferBytes`.
    /// Default 64 KiB.
    public var maxLineBytes = 64 * 1024
    /// How long ERROR and CRITICAL wait for room in a full buffer. 0 to 100 ms. Default 5 ms.
    public var errorWait = Duration.milliseconds(5)
    /// Whether buffered lines are written when the process crashes (SIGSEGV, SIGABRT, SIGBUS,
    /// SIGFPE, SIGILL, SIGTRAP). Default true.
    public var flushesOnCrash = true

    /// Every field at its default.
    public init() {}

    func level(of stream: LogStream) -> LogLevel { stream == .rpc ? rpcLevel : appLevel }

    /// The outputs with `auto` decided, and the console in the place of a journal that can't be had.
    func effectiveOutputs(errorIsJournal: Bool, hasJournal: Bool) -> Set<Output> {
        var effective = outputs
        if effective.remove(.auto) != nil { effective.insert(errorIsJournal ? .journal : .file) }
        if !hasJournal, effective.remove(.journal) != nil { effective.insert(.console) }
        return effective
    }

    /// The same with every value within its range.
    func withinRanges() -> LogConfiguration {
        var valid = self
        valid.file.maxBytes = max(1024, file.maxBytes)
        valid.file.maxFiles = max(0, file.maxFiles)
        valid.file.maxTotalBytes = max(0, file.maxTotalBytes)
        valid.syncInterval = max(.milliseconds(1), syncInterval)
        valid.bufferCount = min(max(1, bufferCount), 256)
        valid.bufferBytes = 1 << 16
        while valid.bufferBytes * 2 <= min(bufferBytes, 1 << 30) { valid.bufferBytes *= 2 }
        valid.maxLineBytes = min(max(1024, maxLineBytes), valid.bufferBytes / 8) & ~7
        valid.errorWait = min(max(.zero, errorWait), .milliseconds(100))
        return valid
    }
}
