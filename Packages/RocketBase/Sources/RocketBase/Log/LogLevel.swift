/// How much a line matters. The names are the original's, with TRACE, WARN and CRITICAL added.
@frozen
public enum LogLevel: UInt8, CaseIterable, Comparable, Sendable {
    case trace, debug, info, warn, error, critical

    /// As it stands in a line and in the configuration: `DEBUG`.
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

    /// The level of that name, upper or lower case; nil for any other text.
    public init?(name: String) {
        let upper = name.uppercased()
        guard let level = Self.allCases.first(where: { $0.name == upper }) else { return nil }
        self = level
    }

    /// By severity.
    public static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
}
