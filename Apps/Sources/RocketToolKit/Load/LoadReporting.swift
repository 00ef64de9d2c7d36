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
        let json = try report.json()
        if self.json {
            StandardOutput.write(line: json)
        } else {
            report.lines.forEach { StandardOutput.write(line: $0) }
        }
        for file in output {
            try ReportFile.write(file.hasSuffix(".html") ? report.html : json + "\n", to: file)
        }
        let missed = report.limits.filter { !$0.isMet }
        for limit in missed {
            StandardError.write(
                line: TerminalText.safe("rocket: limit missed: \(limit.limit): \(limit.value)"))
        }
        if !missed.isEmpty { throw ExitCode(1) }
        if report.total.calls == 0 || report.total.errorShare < 1 { return }
        let error = report.total.errors[0]
        throw ProgramFailure("all calls failed: \(error.code): \(error.message)", status: .failure)
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
