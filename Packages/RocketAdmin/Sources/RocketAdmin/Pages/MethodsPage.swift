import RocketBase
import RocketRPC
import RocketSystem

/// The methods: those that have had a call, and with `?all=1` the others, too. A value.
struct MethodsPage {
    let view: AdminView
    let query: FormFields

    var contents: PageContents {
        AdminPage.methods.contents(of: table, query, controls: form)
    }

    private var showsAll: Bool { query["all"] == "1" }

    private var form: HTML {
        let unused = view.server.methods.count { !$0.isUsed }
        let toggle: HTML =
            showsAll
            ? "<a class=\"button\" href=\"/methods\">Hide methods without calls</a>"
            : unused > 0
                ? "<a class=\"button\" href=\"/methods?all=1\">Show \(unused) without calls</a>"
                : ""
        return AdminPage.filterForm(
            "/methods", query, keeping: ["sort", "all"], more: toggle)
    }

    private var table: Table {
        let recent = view.history.recent
        let shown = view.server.methods.filter { showsAll || $0.isUsed }
        let rows = shown.map { method -> [Table.Cell] in
            let rates = recent?.methods[method.name]
            let histogram = rates?.latency ?? method.latency
            let time = { (share: Double) in
                histogram.quantile(share).map(Table.Cell.time) ?? .missing
            }
            let (calls, failures) = method.outcome
            let error = method.lastError
            return [
                .link(method.name, to: "/calls?method=\(method.name)"),
                .text(method.kind.label),
                rates.map { .rate($0.callsPerSecond) } ?? .missing,
                rates.map { .rate($0.failuresPerSecond) } ?? .missing,
                time(0.5), time(0.99), time(0.999), .count(method.inFlight), .count(calls),
                .fault(failures), .fault(method.refused),
                .bytes(UInt64(max(0, method.requestBytes))),
                .bytes(UInt64(max(0, method.responseBytes))), .text(method.codes),
                error.map { .state($0.code.label, .bad) } ?? .missing,
                error.map { .text($0.text) } ?? .missing,
                error.map { .moment($0.time) } ?? .missing,
            ]
        }
        let empty: HTML =
            view.server.methods.isEmpty
            ? "The server has no methods." : "No method has had a call yet."
        return Table(
            id: "methods", columns: Self.columns, rows: rows, empty: view.notRecorded ?? empty,
            leftOut: view.server.methods.count - shown.count)
    }

    private static let columns: [Table.Column] = [
        .text("method", "Method"), .text("kind", "Kind"),
        .number("calls_per_second", "Calls/s", "Calls that ended, last 10 s"),
        .number("errors_per_second", "Errors/s", "Calls that failed, last 10 s"),
        .number("p50_seconds", "p50", "Half of the calls of the last 10 s took at most so long"),
        .number("p99_seconds", "p99", "99 of 100 calls took at most so long"),
        .number("p999_seconds", "p99.9", "999 of 1,000 calls took at most so long"),
        .number("in_flight", "In flight", "Calls whose handlers run or wait now"),
        .number("calls", "Calls", "Since the start"),
        .number("errors", "Errors", "Since the start"),
        .number("refused", "Refused", "Errors before a handler ran: limits, overload, rights"),
        .number("request_bytes", "Received"), .number("response_bytes", "Sent"),
        .text("codes", "By code", "Errors since the start"),
        .text("last_error_code", "Last error"), .text("last_error", "Its text"),
        .text("last_error_time", "At"),
    ]
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
    /// Whether it has had a call.
    var isUsed: Bool { started > 0 || lastError != nil }

    /// `UNAVAILABLE 3, NOT_FOUND 1`: errors only, the most frequent first.
    var codes: String {
        ended.filter { $0.key != .success && $0.value > 0 }
            .sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { "\($0.key.label) \(Quantity.count($0.value))" }.joined(separator: ", ")
    }
}
