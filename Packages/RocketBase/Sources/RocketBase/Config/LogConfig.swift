/// Where log lines go, and which.
public struct LogConfig: ConfigSection, Hashable {
    /// A place that log lines are written to.
    public enum Sink: String, CaseIterable, Hashable, Sendable {
        case file, console, journal, auto
    }

    public var level = LogLevel.info
    public var rpcLevel: LogLevel?
    public var appLevel: LogLevel?
    public var sinks = [Sink.file]
    public var fileName = "rocket"
    public var filePath = "var/log"
    public var maxFileSizeBytes = 100_000_000
    public var keepFiles = 20
    public var keepBytes = 10_000_000_000
    public var syncInterval = Duration.milliseconds(500)
    public var backlogBytes = 8 * 1024 * 1024

    /// Every field at its default.
    public init() {}

    /// The rpc stream's level: its own, else the common one.
    public var effectiveRPCLevel: LogLevel { rpcLevel ?? level }
    /// The app stream's level: its own, else the common one.
    public var effectiveAppLevel: LogLevel { appLevel ?? level }
}

extension LogConfig {
    private static let levels = ConfigType.choice(of: LogLevel.allCases) { $0.name }

    /// The `log` element.
    public static let schema = ConfigSchema<Self>(
        "log", "Where log lines go, and which.",
        [
            .init(
                "log_level", \.level, levels, .live,
                "The least level that is logged, in both streams (rpc and app)."),
            .init(
                "log_rpc_level", \.rpcLevel, .optional(levels), .live,
                "The least level of the rpc stream, where it differs from log_level."),
            .init(
                "log_app_level", \.appLevel, .optional(levels), .live,
                "The least level of the app stream, where it differs from log_level."),
            .init(
                "log_sinks", \.sinks,
                .list(of: .choice(of: Sink.allCases) { $0.rawValue }, count: 1...4), .restart,
                "Where lines go, several at once: rolling files, standard error (console), "
                    + "the systemd journal. auto is the journal when standard error is connected "
                    + "to it (JOURNAL_STREAM), else files."),
            .init(
                "log_file_name", \.fileName, .name, .restart,
                "What the names of the log files start with: NAME_rpc_YYYYMMDD_log.N."),
            .init(
                "log_file_path", \.filePath, .path, .restart,
                "The folder of the log files; it is created when missing."),
            .init(
                "log_max_file_size", \.maxFileSizeBytes, .bytes(4096...1_099_511_627_776), .live,
                "A log file is followed by the next one before it grows larger."),
            .init(
                "log_keep_files", \.keepFiles, .integer(0...100_000), .live,
                "How many log files of each stream are kept, the oldest go first; 0 keeps all."),
            .init(
                "log_keep_bytes", \.keepBytes, .bytes(0...1_125_899_906_842_624), .live,
                "How large the log files of each stream may be together; 0 sets no limit."),
            .init(
                "log_sync_interval", \.syncInterval, .milliseconds(1...60_000), .live,
                "The longest that a line waits in memory before it is written."),
            .init(
                "log_backlog_bytes", \.backlogBytes, .bytes(65_536...1_073_741_824), .restart,
                "How much memory lines that wait may take; beyond it new ones are dropped "
                    + "and counted."),
        ])
}
