import ArgumentParser
import RocketProgram

/// Two reports of loads side by side. A value.
struct LoadComparison {
    let base: LoadReport
    let new: LoadReport

    /// What is compared.
    struct Row: Hashable, Sendable {
        let method: String
        /// `p99`, `calls/s`.
        let name: String
        let base: Double
        let new: Double
        /// Of both values; empty if the name is one.
        var unit = "ms"
        /// Digits of both, after the point.
        var digits = 3

        /// In percent of the former value; nil: that was 0.
        var change: Double? { base > 0 ? (new - base) / base * 100 : nil }

        /// `p99 ms`.
        var title: String { unit.isEmpty ? name : "\(name) \(unit)" }

        /// Returns one of the values with its unit.
        func text(_ value: Double) -> String {
            LoadNumber.text(value, digits) + (unit.isEmpty ? "" : " \(unit)")
        }

        var changeText: String {
            guard let change else { return "-" }
            return "\(change > 0 ? "+" : "")\(LoadNumber.text(change, 1)) %"
        }
    }

    /// Those of all calls, then those of each method that both reports have, if there are several.
    var rows: [Row] {
        var rows = Self.rows(base.total, new.total)
        if base.methods.count < 2, new.methods.count < 2 { return rows }
        for calls in new.methods {
            guard let former = base.methods.first(where: { $0.method == calls.method }) else {
                continue
            }
            rows += Self.rows(former, calls)
        }
        return rows
    }

    private static func rows(_ base: LoadReport.Calls, _ new: LoadReport.Calls) -> [Row] {
        let (before, after) = (base.latencies, new.latencies)
        return [
            Row(
                method: new.method, name: "calls/s", base: base.callsPerSecond,
                new: new.callsPerSecond, unit: "", digits: 1),
            Row(
                method: new.method, name: "errors", base: base.errorShare * 100,
                new: new.errorShare * 100, unit: "%"),
            Row(method: new.method, name: "mean", base: before.mean, new: after.mean),
        ]
            + LoadReport.percents.map {
                Row(
                    method: new.method, name: LoadReport.name(of: $0), base: before.percentile($0),
                    new: after.percentile($0))
            } + [Row(method: new.method, name: "max", base: before.max, new: after.max)]
    }

    private var cells: [[String]] {
        rows.map {
            [
                $0.method, $0.title, LoadNumber.text($0.base, $0.digits),
                LoadNumber.text($0.new, $0.digits), $0.changeText,
            ]
        }
    }

    /// The names of the two: their labels, or `before` and `after`.
    var names: (base: String, new: String) {
        let (base, new) = (self.base.setup.label ?? "before", self.new.setup.label ?? "after")
        return base == new ? ("\(base), before", "\(new), after") : (base, new)
    }

    private var head: [String] { ["", "", names.base, names.new, "change"] }

    /// For a terminal.
    var lines: [String] {
        var table = TextTable(left: [0, 1])
        table.add(head)
        for row in cells { table.add(row) }
        return table.lines.map { TerminalText.safe($0) }
    }

    /// As a page, with the curves of both.
    var html: String {
        func line(_ name: String, _ report: LoadReport) -> String {
            let setup = report.setup
            let text =
                "\(name): \(setup.server) by \(setup.wire), \(setup.loop), "
                + "\(setup.concurrency) callers, \(LoadNumber.text(report.seconds, 1)) s, "
                + "begun \(setup.began)"
            return "<p>\(HTML.text(text))</p>\n"
        }
        return HTML.page(
            "Loads of \(new.setup.server)",
            "<h1>Two loads of \(HTML.text(new.setup.server))</h1>\n" + line(names.base, base)
                + line(names.new, new)
                + HTML.figure(
                    .latencyCurve([
                        (names.base, base.total.latencies), (names.new, new.total.latencies),
                    ])) + "<h2>Changes</h2>\n"
                + HTML.table(head, cells, numbersFrom: 2))
    }

    /// The most by which a value may be worse: `p99=10%`, `rate=5%`, `errors=0.1%`. A value.
    struct Limit: Hashable, Sendable {
        /// As it was given.
        let text: String
        private let name: String
        private let percent: Double

        init(_ text: String) throws {
            self.text = text
            let parts = text.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[1].hasSuffix("%"),
                let percent = Double(parts[1].dropLast()),
                percent >= 0, percent.isFinite
            else { throw Self.failure(text) }
            let names = ["rate": "calls/s", "errors": "errors", "mean": "mean", "max": "max"]
            let percentiles = LoadReport.percents.map(LoadReport.name)
            guard let name = names[String(parts[0])] ?? percentiles.first(where: { $0 == parts[0] })
            else { throw Self.failure(text) }
            (self.name, self.percent) = (name, percent)
        }

        private static func failure(_ text: String) -> ValidationError {
            ValidationError(
                "'\(text)' is no limit; there are "
                    + LoadReport.percents.map { "\(LoadReport.name(of: $0))=10%" }
                    .joined(separator: ", ") + ", mean=10%, max=10%, rate=5% and errors=0.1%")
        }

        /// Returns the row of all calls that misses it; nil: it is met.
        func missed(by rows: [Row]) -> Row? {
            guard let row = rows.first(where: { $0.method == "total" && $0.name == name }) else {
                return nil
            }
            let isMet =
                switch name {
                // A share: the difference counts.
                case "errors": row.new - row.base <= percent
                case "calls/s": row.new >= row.base * (1 - percent / 100)
                default: row.new <= row.base * (1 + percent / 100)
                }
            return isMet ? nil : row
        }
    }
}

/// `rocket compare`.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare two reports of `rocket load --json`.",
        discussion: """
            EXAMPLES:
              Fail if the new version is more than a tenth slower at p99:
                rocket compare before.json after.json --limit p99=10%
              As a page with both latency curves:
                rocket compare before.json after.json --output changes.html
            """)

    @Argument(
        help: ArgumentHelp("The report to compare with.", valueName: "before"),
        completion: .file(extensions: ["json"]))
    var before: String

    @Argument(
        help: ArgumentHelp("The new report.", valueName: "after"),
        completion: .file(extensions: ["json"]))
    var after: String

    @Option(
        help: ArgumentHelp(
            "End with status 1 if a value of all calls is worse by more; may be repeated.",
            discussion: "p99=10%, mean=10%, max=10%, rate=5%; errors=0.1%, a difference of shares.",
            valueName: "limit"),
        transform: LoadComparison.Limit.init)
    var limit: [LoadComparison.Limit] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write the comparison to a file, too, as a page.", valueName: "file"),
        completion: .file(extensions: ["html"]))
    var output: String?

    func run() throws {
        let comparison = LoadComparison(
            base: try LoadReport(file: before), new: try LoadReport(file: after))
        comparison.lines.forEach { StandardOutput.write(line: $0) }
        if let output { try ReportFile.write(comparison.html, to: output) }
        let rows = comparison.rows
        var hasMissed = false
        for limit in limit {
            guard let row = limit.missed(by: rows) else { continue }
            hasMissed = true
            StandardError.write(
                line: "rocket: limit missed: \(limit.text): \(row.name) is "
                    + "\(row.text(row.base)) before, \(row.text(row.new)) after")
        }
        if hasMissed { throw ExitCode(1) }
    }
}
