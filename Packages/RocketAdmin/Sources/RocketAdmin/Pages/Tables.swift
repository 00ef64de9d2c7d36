import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP

extension AdminView {
    /// What a table of calls says while none are recorded.
    private var notRecorded: HTML? {
        server.collectsMetrics
            ? nil : "Calls are not recorded: the server was created without collectsMetrics."
    }

    var methodsTable: Table {
        let recent = history.recent
        let rows = server.methods.map { method -> [Table.Cell] in
            let rates = recent?.methods[method.name]
            let histogram = rates?.latency ?? method.latency
            let time = { (share: Double) in
                histogram.quantile(share).map(Table.Cell.time) ?? .missing
            }
            let (calls, failures) = method.outcome
            return [
                .link(method.name, to: "/calls?method=\(method.name)"),
                .text(method.kind.label),
                rates.map { .rate($0.callsPerSecond) } ?? .missing,
                rates.map { .rate($0.failuresPerSecond) } ?? .missing,
                time(0.5), time(0.99), time(0.999), .count(method.inFlight), .count(calls),
                .fault(failures), .fault(method.refused),
                .bytes(UInt64(max(0, method.requestBytes))),
                .bytes(UInt64(max(0, method.responseBytes))), .text(method.codes),
            ]
        }
        return Table(
            id: "methods",
            columns: [
                .text("method", "Method"), .text("kind", "Kind"),
                .number("calls_per_second", "Calls/s", "Calls that ended, last 10 s"),
                .number("errors_per_second", "Errors/s", "Calls that failed, last 10 s"),
                .number(
                    "p50_seconds", "p50", "Half of the calls of the last 10 s took at most so long"),
                .number("p99_seconds", "p99", "99 of 100 calls took at most so long"),
                .number("p999_seconds", "p99.9", "999 of 1,000 calls took at most so long"),
                .number("in_flight", "In flight", "Calls whose handlers run or wait now"),
                .number("calls", "Calls", "Since the start"),
                .number("errors", "Errors", "Since the start"),
                .number(
                    "refused", "Refused", "Errors before a handler ran: limits, overload, rights"),
                .number("request_bytes", "Received"), .number("response_bytes", "Sent"),
                .text("codes", "By code"),
            ], rows: rows,
            empty: notRecorded ?? "The server has no methods.")
    }

    var connectionsTable: Table {
        let rows = server.connections.map { connection -> [Table.Cell] in
            [
                .count(Int(clamping: connection.id)), .code(connection.peer.description),
                connection.identity.isEmpty ? .missing : .text(connection.identity),
                .text(connection.wire), .text(connection.isEncrypted ? "TLS" : "none"),
                .code(connection.loop), .time(connection.age), .time(connection.idle),
                .count(connection.callsInFlight), .count(connection.openStreams),
                .bytes(UInt64(max(0, connection.unsentBytes))), .bytes(connection.receivedBytes),
                .bytes(connection.sentBytes),
                connection.isDraining ? .state("draining", .warning) : .state("open", .quiet),
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
                .number("unsent_bytes", "Unsent", "Bytes that wait for the peer to read"),
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
                .code(limit.name), number(limit.current), number(limit.highest),
                limit.limit == nil ? .state("none", .quiet) : number(limit.limit),
                share.map { .share($0) } ?? .missing, .fault(limit.refusals),
            ]
        }
        return Table(
            id: "limits",
            columns: [
                .text("limit", "Limit"), .number("current", "Now"),
                .number("highest", "Highest", "The highest value that was seen"),
                .number("most", "Limit"), .number("used_share", "Used"),
                .number("refusals", "Refusals", "How often something was refused or closed for it"),
            ], rows: rows, empty: "The server has not reported its limits yet.")
    }

    var configurationTable: Table {
        let rows = configuration.map { entry -> [Table.Cell] in
            let text = SecretText.masked(entry)
            let value = entry.unit.map { "\(text) \($0)" } ?? text
            return [
                .code(entry.path), text.isEmpty ? .missing : .code(value),
                entry.origin == .default
                    ? .state("default", .quiet) : .code(entry.origin.description),
                entry.change == .live ? .text("at a reload") : .state("at a restart", .quiet),
            ]
        }
        return Table(
            id: "configuration",
            columns: [
                .text("setting", "Setting"), .text("value", "Value"), .text("origin", "From"),
                .text("change", "A change counts"),
            ], rows: rows, empty: "The program has not shown its configuration.")
    }
}

extension RPCMethodKind {
    var label: String {
        switch self {
        case .unary: "unary"
        case .clientStreaming: "client stream"
        case .serverStreaming: "server stream"
        case .bidirectionalStreaming: "both streams"
        }
    }
}

extension RPCServerSnapshot.Method {
    /// `UNAVAILABLE 3, NOT_FOUND 1`: errors only, the most frequent first.
    var codes: String {
        ended.filter { $0.key != .success && $0.value > 0 }
            .sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { "\($0.key.label) \(Quantity.count($0.value))" }.joined(separator: ", ")
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
