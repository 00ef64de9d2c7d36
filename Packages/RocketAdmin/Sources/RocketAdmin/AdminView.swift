import RocketBase
import RocketRPC
import RocketSystem

/// All that the pages show, as of one moment. They are functions of it. A value.
struct AdminView: Sendable {
    var program: ProgramFacts
    var server: RPCServerSnapshot
    var channels: [RPCChannelSnapshot] = []
    var process = ProcessFigures()
    var history = RateHistory()
    var configuration: [ConfigEntry] = []
    var log = LogFigures()
    /// The program's own metrics; nil: it has no back end for them.
    var application: MetricsRegistry?
    /// The export of its spans; nil: there is none.
    var traces: AdminTraces?
    /// Whether the log's levels can be changed.
    var isWritable = false
}

/// What stays while a program runs. A value.
struct ProgramFacts: Hashable, Sendable {
    /// `order_server`
    var name: String
    /// `0.1.0`; empty: unknown.
    var version = ""
    var processID: Int32 = 0
}

/// What the process uses. A value; `nil`: the system does not say.
struct ProcessFigures: Hashable, Sendable {
    var residentBytes: Int?
    var heapBytes = 0
    var openDescriptors: Int?
    var descriptorLimit: Int?
    var processorTime = Duration.zero

    /// Asks the system: three small files of /proc. Blocks for some microseconds.
    static func now() -> ProcessFigures {
        ProcessFigures(
            residentBytes: try? ProcessUsage.residentBytes(), heapBytes: ProcessUsage.heapBytes,
            openDescriptors: try? ProcessUsage.openDescriptors(),
            descriptorLimit: try? ProcessUsage.descriptorLimit(),
            processorTime: ProcessUsage.processorTime)
    }
}

/// A change of a log's level on the page. A value.
struct LevelChange: Hashable, Sendable {
    var level: LogLevel
    var time: WallTime
}

/// The log's levels and counts. A value.
struct LogFigures: Hashable, Sendable {
    /// By stream; nil: nothing is written.
    var levels: [LogStream: LogLevel?] = [:]
    var statistics = LogStatistics()
    /// nil: the program has no log.
    var hasLog = false
    /// The last change of each level on the page.
    var changes: [LogStream: LevelChange] = [:]

    init() {}

    init(_ logs: LogSystem) {
        hasLog = true
        statistics = logs.statistics
        for stream in LogStream.allCases { levels[stream] = logs.level(of: stream) }
    }

    static func == (a: LogFigures, b: LogFigures) -> Bool {
        a.levels == b.levels && a.statistics == b.statistics && a.hasLog == b.hasLog
            && a.changes == b.changes
    }

    func hash(into hasher: inout Hasher) { hasher.combine(levels) }
}
