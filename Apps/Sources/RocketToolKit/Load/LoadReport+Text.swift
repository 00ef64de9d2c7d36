import RocketProgram

extension LoadReport {
    /// The report for a terminal: a line of the setup, a table, errors and limits.
    var lines: [String] {
        var lines = [
            "\(setup.title) by \(setup.wire): \(setup.text), \(LoadNumber.text(seconds, 1)) s"
                + (interrupted ? ", interrupted" : ""),
            "",
        ]
        lines += Self.table(
            "latency: ms", (methods.count > 1 ? methods + [total] : methods).map { ($0.method, $0) }
        )
        if let stages {
            lines += [""] + Self.table("stage, latency: ms", stages.map { ($0.text, $0.calls) })
        }
        var messages = TextTable()
        for row in messageRows("messages, round trip: ms") { messages.add(row) }
        if !messages.lines.isEmpty { lines += [""] + messages.lines }
        if let processorText { lines += ["", processorText] }
        if !total.errors.isEmpty {
            var table = TextTable(left: [0, 2, 3])
            for calls in methods {
                for error in calls.errors {
                    table.add([error.code, "\(error.count)", calls.method, error.message])
                }
            }
            lines += ["", "errors"] + table.lines.map { "  \($0)" }
        }
        if !limits.isEmpty {
            var table = TextTable(left: [0, 2])
            for limit in limits {
                table.add([limit.limit, limit.value, limit.isMet ? "met" : "MISSED"])
            }
            lines += ["", "limits"] + table.lines.map { "  \($0)" }
        }
        return lines.map { TerminalText.safe($0) }
    }

    private static func table(_ head: String, _ rows: [(name: String, calls: Calls)]) -> [String] {
        let percents = [50, 90, 99, 99.9]
        var table = TextTable()
        table.add(
            [head, "calls", "calls/s", "errors"] + percents.map(name) + ["max"])
        for (name, calls) in rows {
            let latencies = calls.latencies
            table.add(
                [
                    name, "\(calls.calls)", LoadNumber.text(calls.callsPerSecond, 1),
                    "\(calls.failed)",
                ]
                    + (percents + [100]).map {
                        LoadNumber.milliseconds(latencies.percentile($0))
                    })
        }
        return table.lines
    }
}

extension LoadReport.Stage {
    /// `0 to 5000 calls/s in 30 s`.
    var text: String {
        let values = from == to ? [from] : [from, to]
        return values.map { LoadNumber.rate($0) }.joined(separator: " to ")
            + " \(unit) in \(LoadNumber.rate(seconds)) s"
    }
}

extension LoadReport.Setup {
    /// The server, behind the label if there is one.
    var title: String { (label.map { "\($0): " } ?? "") + server }

    /// `closed loop, 16 callers, 1 connection`.
    var text: String {
        func plural(_ count: Int, _ noun: String) -> String {
            "\(count) \(noun)\(count == 1 ? "" : "s")"
        }
        return "\(loop), \(plural(concurrency, "caller")), \(plural(connections, "connection"))"
    }
}
