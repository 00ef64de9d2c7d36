import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP

extension AdminView {
    /// What a table of calls says while none are recorded.
    var notRecorded: HTML? {
        server.collectsMetrics
            ? nil : "Calls are not recorded: the server was created without collectsMetrics."
    }

    var connectionsTable: Table {
        let rows = server.connections.map { connection -> [Table.Cell] in
            [
                .count(Int(clamping: connection.id)), .code(connection.peer.description),
                connection.identity.isEmpty ? .missing : .text(connection.identity),
                connection.wire.isEmpty ? .missing : .text(connection.wire),
                .text(connection.isEncrypted ? "TLS" : "none"),
                .code(connection.loop), .time(connection.age), .time(connection.idle),
                .count(connection.callsInFlight), .count(connection.openStreams),
                .bytes(UInt64(max(0, connection.unsentBytes))),
                .bytes(UInt64(max(0, connection.kernelBytes))),
                connection.isUnread
                    ? .timeSoFar(connection.unreadFor) : .time(connection.unreadFor),
                .bytes(connection.receivedBytes), .bytes(connection.sentBytes),
                .state(connection.phase.label, connection.phase.tone),
            ]
        }
        return Table(
            id: "connections",
            columns: [
                .number("id", "No."), .text("peer", "Peer"),
                .text("identity", "Identity", "What its certificate or its Unix socket proves"),
                .text("wire", "Protocol"), .text("encryption", "Encryption"), .text("loop", "Loop"),
                .number("age_seconds", "Age"), .number("idle_seconds", "Silent for"),
                .number("in_flight", "In flight"), .number("streams", "Streams"),
                .number(
                    "unsent_bytes", "Unsent",
                    "Bytes that the server holds for the peer, since the kernel does not take them, or a "
                        + "stream has no credit"),
                .number(
                    "kernel_bytes", "In kernel",
                    "Bytes that were sent and that the peer's machine has not acknowledged; it takes some "
                        + "MiB itself for a peer that does not read"),
                .number(
                    "unread_seconds", "Unread for",
                    "How long bytes have waited without the peer taking any"),
                .number("received_bytes", "Received"), .number("sent_bytes", "Sent"),
                .text("state", "State"),
            ], rows: rows, empty: "Nobody is connected.", leftOut: server.connectionsLeftOut)
    }

    var loopsTable: Table {
        let busy = history.recent?.loopBusy ?? [:]
        let rows = server.loops.map { loop -> [Table.Cell] in
            [
                .code(loop.name),
                loop.isStuck
                    ? .state("blocked for \(Quantity.duration(loop.stuckFor))", .bad)
                    : .state("runs", .good),
                busy[loop.name].map { .share($0) } ?? .missing, .time(loop.delay),
                .time(loop.longestCallback), .fault(Int(clamping: loop.slowCallbacks)),
                .count(loop.connections), .count(loop.tasksWaiting), .count(loop.mostTasksWaiting),
                .count(loop.handlerTasks), .count(Int(clamping: loop.ticks)),
            ]
        }
        return Table(
            id: "loops",
            columns: [
                .text("loop", "Loop"), .text("state", "State"),
                .number("busy_share", "Busy", "Share of the last 10 s that it has worked"),
                .number("delay_seconds", "Delay", "How long events had waited for the last round"),
                .number("longest_callback_seconds", "Longest callback"),
                .number("slow_callbacks", "Slow callbacks", "Longer than server/slow_callback_ms"),
                .number("connections", "Connections"),
                .number("tasks_waiting", "Tasks waiting"),
                .number("most_tasks_waiting", "At most"),
                .number("handler_tasks", "Handler tasks", "Idle ones included"),
                .number("rounds", "Rounds"),
            ], rows: rows, empty: "No loop runs: the server has not started, or has ended.")
    }

    var limitsTable: Table {
        let rows = server.limits.map { limit -> [Table.Cell] in
            let isBytes = limit.name.hasSuffix("_bytes")
            let number = { (value: Int?) -> Table.Cell in
                guard let value else { return .missing }
                return isBytes ? .bytes(UInt64(max(0, value))) : .count(value)
            }
            let share = limit.current.flatMap { current in
                limit.limit.flatMap { $0 > 0 ? Double(current) / Double($0) : nil }
            }
            return [
                .code(limit.name), limit.setting.map { .code($0) } ?? .missing,
                number(limit.current), number(limit.highest),
                limit.limit == nil ? .state("none", .quiet) : number(limit.limit),
                share.map { .share($0) } ?? .missing, .fault(limit.refusals),
            ]
        }
        return Table(
            id: "limits",
            columns: [
                .text("limit", "Limit"),
                .text("setting", "Setting", "What sets it in the configuration"),
                .number("current", "Now"),
                .number("highest", "Highest", "The highest value that was seen"),
                .number("most", "Limit"), .number("used_share", "Used"),
                .number("refusals", "Refusals", "How often something was refused or closed for it"),
            ], rows: rows, empty: "The server has not reported its limits yet.")
    }

    var configurationTable: Table {
        let rows = configuration.map { entry -> [Table.Cell] in
            let text = SecretText.masked(entry)
            let value = entry.unit.map { "\(text) \($0)" } ?? text
            let change: Table.Cell =
                entry.change == .live ? .text("at a reload") : .state("at a restart", .quiet)
            if let changed = levelChange(of: entry) {
                let file = text.isEmpty ? generalLevel : text
                return [
                    .code(entry.path), .code(changed.level.name),
                    .state(
                        "changed on the page at \(Quantity.moment(changed.time).dropLast(4)) UTC; "
                            + "the configuration says \(file)", .warning), change,
                ]
            }
            return [
                .code(entry.path), text.isEmpty ? .missing : .code(value),
                entry.origin == .default
                    ? .state("default", .quiet) : .code(entry.origin.description), change,
            ]
        }
        return Table(
            id: "configuration",
            columns: [
                .text("setting", "Setting"), .text("value", "Value"), .text("origin", "From"),
                .text("change", "A change counts"),
            ], rows: rows, empty: "The program has not shown its configuration.")
    }

    /// The level of streams without one of their own.
    private var generalLevel: String {
        configuration.first { $0.path == "log/log_level" }?.text ?? ""
    }

    /// The change of a log's level on the page that is in force in place of the entry.
    private func levelChange(of entry: ConfigEntry) -> LevelChange? {
        guard let stream = LogStream.allCases.first(where: { "log/\($0.setting)" == entry.path }),
            let change = log.changes[stream], log.levels[stream] == change.level
        else { return nil }
        return change
    }
}

extension LogStream {
    /// The field of the element `log` that has its level.
    fileprivate var setting: String {
        switch self {
        case .rpc: "log_rpc_level"
        case .app: "log_app_level"
        }
    }
}

extension RPCServerSnapshot.Connection {
    /// How long a peer may let bytes wait before it is named.
    static let unreadNotice = Duration.seconds(5)

    /// Whether its peer has not read for so long that it is named.
    var isUnread: Bool { unreadFor >= Self.unreadNotice }
}

extension RPCServerSnapshot.Connection.Phase {
    fileprivate var label: String {
        switch self {
        case .handshake: "in its handshake"
        case .silent: "has sent nothing"
        case .open: "open"
        case .draining: "draining"
        }
    }

    fileprivate var tone: Table.Tone {
        switch self {
        case .open: .quiet
        case .handshake, .silent, .draining: .warning
        }
    }
}

extension RPCServerSnapshot.Limit {
    /// The setting of the configuration that has it; nil: none has.
    var setting: String? {
        switch name {
        case "connections": "server/max_connections"
        case "connections_per_peer": "server/max_connections_per_peer"
        case "calls_in_flight": "server/max_in_flight"
        case "calls_in_flight_per_connection": "server/max_in_flight_per_connection"
        case "streams_per_connection": "server/max_streams_per_connection"
        case "watches": "server/max_watches"
        case "watches_per_connection": "server/max_watches_per_connection"
        case "memory_budget_bytes": "server/memory_budget_bytes"
        case "queue_delay_us": "server/overload/queue_delay_ms"
        case "late_calls": "server/overload/refuse_late_calls"
        case "adaptive_limit": "server/overload/adaptive_limits"
        case "calls_per_second": "server/overload/calls_per_second"
        default: nil
        }
    }
}

/// Values of the configuration that nobody should read on a page.
enum SecretText {
    private static let words = [
        "password", "passwd", "secret", "token", "credential", "private_key",
    ]

    /// The text of a value, or dots if its name says that it is a secret, and dots for the password of
    /// an address such as `etcd://user:password@host`.
    static func masked(_ entry: ConfigEntry) -> String {
        let name = entry.path.split(separator: "/").last.map { $0.lowercased() } ?? ""
        let isPath = name.hasSuffix("_file") || name.hasSuffix("_path")
        if !entry.text.isEmpty, !isPath, words.contains(where: { name.contains($0) }) {
            return "••••••"
        }
        return withoutPassword(entry.text)
    }

    private static func withoutPassword(_ text: String) -> String {
        guard let start = text.range(of: "://")?.upperBound else { return text }
        let authority = text[start...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@"),
            let colon = authority[..<at].firstIndex(of: ":")
        else { return text }
        return text[...colon] + "••••••" + text[at...]
    }
}

extension StringProtocol {
    /// Foundation's, without Foundation.
    fileprivate func range(of wanted: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(wanted) {
                return start..<index(start, offsetBy: wanted.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
