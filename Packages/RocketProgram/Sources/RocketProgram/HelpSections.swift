/// The sections EXIT STATUS, FILES and ENVIRONMENT of a program's help: append them to its
/// discussion. scripts/man-page makes sections of the manual page from them.
public struct HelpSections: Sendable {
    private var sections: [String] = []

    /// - Parameters:
    ///   - exitStatuses: those of the program besides 0 and 64.
    ///   - files: paths and meanings.
    ///   - environment: names of variables and meanings.
    public init(
        exitStatuses: [ExitStatus], files: [(String, String)] = [],
        environment: [(String, String)] = []
    ) {
        let statuses = Set(exitStatuses + [.success, .usage])
        let rows = statuses.sorted { $0.rawValue < $1.rawValue }.map { status in
            let number = String(status.rawValue)
            let padding = String(repeating: " ", count: 4 - number.count)
            return "  \(number)\(padding)\(status.meaning ?? "")"
        }
        sections.append((["EXIT STATUS:"] + rows).joined(separator: "\n"))
        add("FILES", files)
        add("ENVIRONMENT", environment)
    }

    private mutating func add(_ title: String, _ entries: [(String, String)]) {
        if entries.isEmpty { return }
        let rows = entries.map { "  \($0)\n      \($1)" }
        sections.append((["\(title):"] + rows).joined(separator: "\n"))
    }

    /// The sections, with an empty line between two.
    public var text: String { sections.joined(separator: "\n\n") }
}

extension HelpSections {
    /// The variables that every server reads.
    public static var serverEnvironment: [(String, String)] {
        [
            (
                "ROCKET_SECTION_ELEMENT",
                "Overrides an element: ROCKET_SERVER_PORT, ROCKET_LOG_LEVEL, ..."
            ),
            ("NOTIFY_SOCKET, WATCHDOG_USEC", "Notifications to systemd, and its watchdog."),
            ("LISTEN_FDS, LISTEN_FDNAMES", "Sockets of systemd, in place of the addresses."),
            ("JOURNAL_STREAM", "Log to the journal if log_sinks is auto."),
        ]
    }

    /// The statuses of every server.
    public static var serverStatuses: [ExitStatus] {
        [
            .failure, .cannotCreate, .ioError, .temporaryFailure, .notPermitted, .configuration,
        ]
    }

    /// The statuses of every client.
    public static var clientStatuses: [ExitStatus] {
        [
            .failure, .dataError, .unavailable, .internalError, .ioError, .temporaryFailure,
            .protocolError, .notPermitted, .configuration,
        ]
    }
}
