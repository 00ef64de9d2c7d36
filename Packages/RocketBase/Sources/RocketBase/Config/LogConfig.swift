/// Levels and destinations of log lines.
public struct LogConfig: ConfigSection, Hashable {
    /// The lowest level that is written, for both streams (rpc and app).
    ///
    /// `log/log_level`: One of TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL. Default INFO. Changes
    /// live.
    public var level = LogLevel.info
    /// The lowest level of the rpc stream, if it differs from log_level.
    ///
    /// `log/log_rpc_level`: One of TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL; or empty. Default
    /// none. Changes live.
    public var rpcLevel: LogLevel?
    /// The lowest level of the app stream, if it differs from log_level.
    ///
    /// `log/log_app_level`: One of TRACE, DEBUG, INFO, WARN, ERROR, CRITICAL; or empty. Default
    /// none. Changes live.
    public var appLevel: LogLevel?
    /// The destinations of lines: file (rolling files), console (standard error), journal (the
    /// systemd journal), auto (the journal when standard error is connected to it, by
    /// JOURNAL_STREAM, otherwise files). When no journal runs, its lines go to the console.
    ///
    /// `log/log_sinks`: 1 to 4 values, separated by commas; each one of file, console, journal,
    /// auto. Default file. Needs a restart.
    public var sinks = [LogConfiguration.Output.file]
    /// The prefix of the names of log files: NAME_rpc_YYYYMMDD_log.N.
    ///
    /// `log/log_file_name`: 1 to 100 letters, digits, '.', '_' or '-', not beginning with '.'.
    /// Default rocket. Needs a restart.
    public var fileName = "rocket"
    /// The folder of the log files. It is created when it is missing.
    ///
    /// `log/log_file_path`: A path, absolute or relative to this file's folder. Default
    /// var/log. Needs a restart.
    public var filePath = "var/log"
    /// The largest size of a log file; a line that would exceed it goes to the next file.
    ///
    /// `log/log_max_file_size`: A whole number of bytes, 4096 to 1099511627776. Default
    /// 1000000000 bytes. Needs a restart.
    public var maxFileSizeBytes = 1_000_000_000
    /// The number of log files per stream that are kept; the oldest are removed. 0 keeps all.
    ///
    /// `log/log_keep_files`: A whole number, 0 to 100000. Default 100. Needs a restart.
    public var keepFiles = 100
    /// The total size of the log files per stream; the oldest are removed. 0: no limit.
    ///
    /// `log/log_keep_bytes`: A whole number of bytes, 0 to 1125899906842624. Default
    /// 10000000000 bytes. Needs a restart.
    public var keepBytes = 10_000_000_000
    /// The mode of new log files, whatever the umask. A new folder also lets those in who may
    /// read its files.
    ///
    /// `log/log_file_mode`: An octal mode, 0600 to 0666. Default 0600. Needs a restart.
    public var fileMode = 0o600
    /// The longest time that a line stays in memory before it is written. Lines at INFO or
    /// above are written within 50 ms if they go to the journal or the console.
    ///
    /// `log/log_sync_interval`: A whole number of ms, 1 to 60000. Default 500 ms. Needs a
    /// restart.
    public var syncInterval = Duration.milliseconds(500)
    /// The memory for lines that are not written yet. Lines that do not fit are dropped and
    /// counted.
    ///
    /// `log/log_backlog_bytes`: A whole number of bytes, 1048576 to 17179869184. Default
    /// 16777216 bytes. Needs a restart.
    public var backlogBytes = 16 * 1024 * 1024

    /// All fields have their defaults.
    public init() {}

    /// The level of the rpc stream: `rpcLevel`, otherwise `level`.
    public var effectiveRPCLevel: LogLevel { rpcLevel ?? level }
    /// The level of the app stream: `appLevel`, otherwise `level`.
    public var effectiveAppLevel: LogLevel { appLevel ?? level }
}

extension LogConfig {
    private static let levels = ConfigType.choice(of: LogLevel.allCases) { $0.name }

    /// The schema of the `log` element.
    public static let schema = ConfigSchema<Self>(
        "log", "Levels and destinations of log lines.",
        [
            .init(
                "log_level", \.level, levels, .live,
                "The lowest level that is written, for both streams (rpc and app)."),
            .init(
                "log_rpc_level", \.rpcLevel, .optional(levels), .live,
                "The lowest level of the rpc stream, if it differs from log_level."),
            .init(
                "log_app_level", \.appLevel, .optional(levels), .live,
                "The lowest level of the app stream, if it differs from log_level."),
            .init(
                "log_sinks", \.sinks,
                .list(
                    of: .choice(of: LogConfiguration.Output.allCases) { $0.rawValue }, count: 1...4),
                .restart,
                "The destinations of lines: file (rolling files), console (standard error), "
                    + "journal (the systemd journal), auto (the journal when standard error is "
                    + "connected to it, by JOURNAL_STREAM, otherwise files). When no journal runs, "
                    + "its lines go to the console."),
            .init(
                "log_file_name", \.fileName, .name, .restart,
                "The prefix of the names of log files: NAME_rpc_YYYYMMDD_log.N."),
            .init(
                "log_file_path", \.filePath, .path, .restart,
                "The folder of the log files. It is created when it is missing."),
            .init(
                "log_max_file_size", \.maxFileSizeBytes, .bytes(4096...1_099_511_627_776), .restart,
                "The largest size of a log file; a line that would exceed it goes to the next file."
            ),
            .init(
                "log_keep_files", \.keepFiles, .integer(0...100_000), .restart,
                "The number of log files per stream that are kept; the oldest are removed. 0 keeps "
                    + "all."),
            .init(
                "log_keep_bytes", \.keepBytes, .bytes(0...1_125_899_906_842_624), .restart,
                "The total size of the log files per stream; the oldest are removed. 0: no limit."),
            .init(
                "log_file_mode", \.fileMode, .mode(0o600...0o666), .restart,
                "The mode of new log files, whatever the umask. A new folder also lets those in who "
                    + "may read its files."),
            .init(
                "log_sync_interval", \.syncInterval, .milliseconds(1...60_000), .restart,
                "The longest time that a line stays in memory before it is written. Lines at INFO "
                    + "or above are written within 50 ms if they go to the journal or the console."
            ),
            .init(
                "log_backlog_bytes", \.backlogBytes, .bytes(1_048_576...17_179_869_184), .restart,
                "The memory for lines that are not written yet. Lines that do not fit are dropped "
                    + "and counted."),
        ])
}
