import CRocketLog

/// The severity of a log line. The names are those of the original project, with TRACE, WARN and
/// CRITICAL added.
@frozen
public enum LogLevel: UInt8, CaseIterable, Comparable, Sendable {
    case trace, debug, info, warn, error, critical

    /// The name in log lines and in the configuration: `DEBUG`.
    public var name: String {
        switch self {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info: "INFO"
        case .warn: "WARN"
        case .error: "ERROR"
        case .critical: "CRITICAL"
        }
    }

    /// The level with this name, in upper or lower case; nil for any other text.
    public init?(name: String) {
        let upper = name.uppercased()
        guard let level = Self.allCases.first(where: { $0.name == upper }) else { return nil }
        self = level
    }

    /// The priority of syslog(3) that the level corresponds to: 7 for TRACE and DEBUG, 6 for INFO,
    /// 4 for WARN, 3 for ERROR, 2 for CRITICAL.
    ///
    /// The table is in C because the crash handlers need it, too.
    public var syslogPriority: Int { Int(rocket_log_priority(rawValue)) }

    /// Compares by severity: TRACE is the lowest.
    public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}

/// One of the two logs that a process writes, as in the original project. Each has its own level
/// and its own files.
@frozen
public enum LogStream: UInt8, CaseIterable, Sendable {
    /// Lines of the framework about its connections and calls.
    case rpc
    /// Lines of the application.
    case app

    /// The name in file names: `rpc`.
    public var name: String { self == .rpc ? "rpc" : "app" }
}
