import ArgumentParser
import RocketProgram

/// The options that say what is made of the result.
struct LoadReporting: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "End with status 1 if a limit is missed; may be repeated.",
            discussion: """
                p99=20ms, of any percentile; max=1s, mean=5ms, errors=0.1%, errors=3, rate=1000. \
                Of one method: Order.makeOrder:p99=20ms.
                """, valueName: "limit"),
        transform: LoadLimit.init)
    var limit: [LoadLimit] = []

    @Option(
        help: ArgumentHelp(
            "What the load is called in the report, and in comparisons.",
            discussion: "At most 100 characters.", valueName: "text"))
    var label: String?

    @Option(
        help: ArgumentHelp(
            "Measure the processor time of this process, a server on this machine; may be repeated.",
            valueName: "pid"))
    var pid: [Int32] = []

    /// Refuses a label that is too long for a column, and processes that there are not.
    func validate() throws {
        if pid.count > LoadProcessorTime.maxProcesses {
            throw ValidationError("there are at most \(LoadProcessorTime.maxProcesses) --pid")
        }
        for pid in pid where LoadProcessorTime.of(pid) == nil {
            throw ValidationError("--pid \(pid): there is no such process")
        }
        if let label, !(1...100).contains(label.count) {
            throw ValidationError("--label has 1 to 100 characters")
        }
    }

    @Flag(help: "Print the report as one line of JSON.")
    var json = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write the report to a file, too; may be repeated.",
            discussion: "As a page with latency curves if its name ends in .html, else as JSON.",
            valueName: "file"),
        completion: .file())
    var output: [String] = []

    /// Prints and writes the report.
    ///
    /// - Throws: `ExitCode` 1 if a limit is missed, or that of the error if all calls have failed.
    func finish(_ result: LoadReport) throws {
        var report = result
        report.limits = limit.map { $0.outcome(of: report) }
        try show(report.lines, json: report.json(), html: report.html)
        try Self.check(report.limits)
        if report.total.calls == 0 || report.total.errorShare < 1 { return }
        let error = report.total.errors[0]
        throw ProgramFailure("all calls failed: \(error.code): \(error.message)", status: .failure)
    }

    /// Prints and writes the report of a search.
    ///
    /// - Throws: `ExitCode` 1 if no rate has held, or a limit of rates is missed.
    func finish(_ result: LoadSearchReport) throws {
        var report = result
        report.judge(limit)
        try show(report.lines, json: report.json(), html: report.html)
        try Self.check(report.limits)
        if report.rate == nil, !report.interrupted { throw ExitCode(1) }
    }

    private func show(
        _ lines: [String], json: String, html: @autoclosure () -> String
    ) throws(ProgramFailure) {
        if self.json {
            StandardOutput.write(line: json)
        } else {
            lines.forEach { StandardOutput.write(line: $0) }
        }
        for file in output {
            try ReportFile.write(file.hasSuffix(".html") ? html() : json + "\n", to: file)
        }
    }

    private static func check(_ limits: [LoadLimit.Outcome]) throws {
        let missed = limits.filter { !$0.isMet }
        for limit in missed {
            StandardError.write(
                line: TerminalText.safe("rocket: limit missed: \(limit.limit): \(limit.value)"))
        }
        if !missed.isEmpty { throw ExitCode(1) }
    }

    /// Checks, before a load that may take an hour, what would make its report useless.
    ///
    /// - Parameter methods: the names of all methods of the load.
    /// - Throws: `ProgramFailure` for a file that can't be written, and for a limit of a method that
    ///   is not called.
    func check(methods: [String]) throws(ProgramFailure) {
        for limit in limit {
            guard let name = limit.method, !methods.contains(where: { limit.isOf(method: $0) })
            else { continue }
            throw ProgramFailure(
                "--limit \(limit.text): the load does not call \(name), but "
                    + methods.joined(separator: ", "), status: .usage)
        }
        for file in output { try ReportFile.check(file) }
    }
}
