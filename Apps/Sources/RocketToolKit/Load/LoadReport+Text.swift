import RocketProgram

extension LoadReport {
    /// The report for a terminal: a line of the setup, a table, errors and limits.
    var lines: [String] {
        var lines = [
            "\(setup.server) by \(setup.wire): \(setup.text), \(LoadNumber.text(seconds, 1)) s"
                + (interrupted ? ", interrupted" : ""),
            "",
        ]
        var table = TextTable()
        table.add(["ms", "calls", "calls/s", "errors", "p50", "p90", "p99", "p99.9", "max"])
        for calls in methods.count > 1 ? methods + [total] : methods {
            let latencies = calls.latencies
            table.add(
                [
                    calls.method, "\(calls.calls)", LoadNumber.text(calls.callsPerSecond, 1),
                    "\(calls.failed)",
                ]
                    + [50, 90, 99, 99.9, 100].map {
                        LoadNumber.milliseconds(latencies.percentile($0))
                    })
        }
        lines += table.lines
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
}

extension LoadReport.Setup {
    /// `closed loop, 16 callers, 1 connection`.
    var text: String {
        func plural(_ count: Int, _ noun: String) -> String {
            "\(count) \(noun)\(count == 1 ? "" : "s")"
        }
        return "\(loop), \(plural(concurrency, "caller")), \(plural(connections, "connection"))"
    }
}
