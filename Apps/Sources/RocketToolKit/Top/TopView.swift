import RocketProgram

/// What `rocket top` shows: a few lines of the server as a whole, and one table. A value.
struct TopView: Sendable {
    let address: String
    let tab: TopTab
    let overview: TopOverview
    let rows: [[String: TopCell]]
    /// How many rows the page has left out: methods without calls, or connections of many.
    var leftOut = 0

    /// The lines, as many as fit.
    ///
    /// - Parameters:
    ///   - columns: the most characters of a line; nil: any number.
    ///   - rows: the most lines; nil: any number.
    func lines(columns: Int? = nil, rows most: Int? = nil) -> [String] {
        var lines = head
        lines += overview.attention.map { "! \($0.text)" }
        lines.append("")
        var table = TextTable(
            left: Set(tab.columns.indices.filter { tab.columns[$0].kind == .text }))
        table.add(tab.columns.map(\.title))
        for row in rows {
            table.add(tab.columns.map { TopText.cell(row[$0.name], $0.kind) })
        }
        lines += rows.isEmpty ? ["No \(tab.name)."] : table.lines
        if leftOut > 0 { lines.append("\(leftOut) more are not shown") }
        if let most, lines.count > most {
            let hidden = lines.count - most + 1
            lines = lines.prefix(max(0, most - 1)) + ["and \(hidden) more"]
        }
        return lines.map { line in
            let line = TerminalText.safe(line)
            return columns.map { String(line.prefix(max(1, $0 - 1))) } ?? line
        }
    }

    private var head: [String] {
        func text(_ value: Double?, _ kind: TopTab.Kind) -> String { TopText.number(value, kind) }
        let budget = overview.memory_budget_bytes.map { " of \(text($0, .bytes))" } ?? ""
        return [
            "\(address): \(overview.state) for \(text(overview.age_seconds, .seconds))",
            "calls/s \(text(overview.calls_per_second, .rate))   errors/s "
                + "\(text(overview.errors_per_second, .rate))   p50 "
                + "\(text(overview.p50_seconds, .seconds))   p99 "
                + "\(text(overview.p99_seconds, .seconds))   p99.9 "
                + "\(text(overview.p999_seconds, .seconds))   in flight "
                + text(overview.in_flight, .count),
            "connections \(text(overview.connections, .count))   memory of connections "
                + "\(text(overview.memory_bytes, .bytes))\(budget)   resident "
                + "\(text(overview.resident_bytes, .bytes))   processors "
                + text(overview.processors, .rate),
            "last minute: calls/s \(Self.spark(overview.seconds.map(\.calls_per_second)))   p99 "
                + Self.spark(overview.seconds.map(\.p99_seconds)),
        ]
    }

    /// The last values as bars, two of the 60 seconds for each.
    private static func spark(_ values: [Double?]) -> String {
        let values = values.map { $0 ?? 0 }
        let pairs = stride(from: values.count % 2, to: values.count, by: 2).map { index in
            max(values[index], values[index + 1])
        }
        return TerminalBars.spark(pairs, width: 30)
    }
}
