/// Where log lines go, and which.
public struct LogConfig: ConfigSection, Hashable {
    /// The least level that is logged, in both streams (rpc and app).
    ///
    /// `log/log_level`: One of TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL. Default INFO. Changes
    /// live.
    public var level = LogLevel.info
    /// The least level of the rpc stream, where it differs from log_level.
    ///
    /// `log/log_rpc_level`: One of TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL; or empty. Default
    /// none. Changes live.
    public var rpcLevel: LogLevel?
    /// The least level of the app stream, where it differs from log_level.
    ///
    /// `log/log_app_level`: One of TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL; or empty. Default
    /// none. Changes live.
    public var appLevel: LogLevel?
    /// Where lines go, several at once: rolling files, standard error (console), the systemd
    /// journal. auto is the journal when standard error is connected to it (JOURNAL_STREAM),
    /// else files. Where no journal runs its lines go to the console.
    ///
    /// `log/log_sinks`: 1 to 4 values, with commas between them; each one of file, console,
    /// journal, auto. Default file. Needs a restart.
    public var sinks = [LogConfiguration.Output.file]
    /// What the names of the log files start with: NAME_rpc_YYYYMMDD_log.N.
    ///
    /// `log/log_file_name`: 1 to 100 letters, digits, '.', '_' or '-', the first one no '.'.
    /// Default rocket. Needs a restart.
    public var fileName = "rocket"
    /// The folder of the log files; it is created when missing.
    ///
    /// `log/log_file_path`: A path, absolute or relative to this file's folder. Default
    /// var/log. Needs a restart.
    public var filePath = "var/log"
    /// A log file is followed by the next one before it grows larger.
    ///
    /// `log/log_max_file_size`: A whole number of bytes, 4096 to 1099511627776. Default
    /// 1000000000 bytes. Needs a restart.
    public var maxFileSizeBytes = 1_000_000_000
    /// How many log files of each stream are kept, the oldest go first; 0 keeps all.
    ///
    /// `log/log_keep_files`: A whole number, 0 to 100000. Default 100. Needs a restart.
    public var keepFiles = 100
    /// How large the log files of each stream may be together; 0 sets no limit.
    ///
    /// `log/log_keep_bytes`: A whole number of bytes, 0 to 1125899906842624. Default
    /// 10000000000 bytes. Needs a restart.
    public var keepBytes = 10_000_000_000
    /// The longest that a line waits in memory before it is written.
    ///
    /// `log/log_sync_interval`: A whole number of ms, 1 to 60000. Default 500 ms. Needs a
    /// restart.
    public var syncInterval = Duration.milliseconds(500)
    /// How much memory lines that wait may take; beyond it new ones are dropped and counted.
    ///
    /// `log/log_backlog_bytes`: A whole number of bytes, 1048576 to 17179869184. Default
    /// 16777216 bytes. Needs a restart.
    public var backlogBytes = 16 * 1024 * 1024

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
                .list(
                    of: .choice(of: LogConfiguration.Output.allCases) { $0.rawValue }, count: 1...4),
                .restart,
                "Where lines go, several at once: rolling files, standard error (console), "
                    + "the systemd journal. auto is the journal when standard error is connected "
                    + "to it (JOURNAL_STREAM), else files. Where no journal runs its lines go to the "
                    + "console."),
            .init(
                "log_file_name", \.fileName, .name, .restart,
                "What the names of the log files start with: NAME_rpc_YYYYMMDD_log.N."),
            .init(
                "log_file_path", \.filePath, .path, .restart,
                "The folder of the log files; it is created when missing."),
            .init(
                "log_max_file_size", \.maxFileSizeBytes, .bytes(4096...1_099_511_627_776), .restart,
                "A log file is followed by the next one before it grows larger."),
            .init(
                "log_keep_files", \.keepFiles, .integer(0...100_000), .restart,
                "How many log files of each stream are kept, the oldest go first; 0 keeps all."),
            .init(
                "log_keep_bytes", \.keepBytes, .bytes(0...1_125_899_906_842_624), .restart,
                "How large the log files of each stream may be together; 0 sets no limit."),
            .init(
                "log_sync_interval", \.syncInterval, .milliseconds(1...60_000), .restart,
                "The longest that a line waits in memory before it is written."),
            .init(
                "log_backlog_bytes", \.backlogBytes, .bytes(1_048_576...17_179_869_184), .restart,
                "How much memory lines that wait may take; beyond it new ones are dropped "
                    + "and counted."),
        ])
}
