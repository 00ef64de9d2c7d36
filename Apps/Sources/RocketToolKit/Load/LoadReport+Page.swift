extension LoadReport {
    /// The most methods whose curves are shown.
    private static let maxCurves = HTML.colours

    /// The report as a page.
    var html: String {
        var body = """
            <h1>Load of \(HTML.text(setup.title))</h1>
            <p>\(HTML.text("\(setup.wire), \(setup.text), \(LoadNumber.text(seconds, 1)) s"))\
            \(interrupted ? ", <span class=\"bad\">interrupted</span>" : "")</p>
            <p>Begun \(HTML.text(setup.began)), seed \(setup.seed)</p>

            """
        let latencies = total.latencies
        let cards = [
            (LoadNumber.text(total.callsPerSecond, 0), "calls/s"), ("\(total.calls)", "calls"),
            ("\(LoadNumber.text(total.errorShare * 100, 2)) %", "errors"),
            ("\(LoadNumber.milliseconds(latencies.percentile(50))) ms", "p50"),
            ("\(LoadNumber.milliseconds(latencies.percentile(99))) ms", "p99"),
            ("\(LoadNumber.milliseconds(latencies.max)) ms", "max"),
        ]
        body += "<ul class=\"cards\">"
        body += cards.map { "<li><b>\($0.0)</b><span>\($0.1)</span></li>" }.joined()
        body += "</ul>\n"
        if !limits.isEmpty {
            body += "<h2>Limits</h2>\n<ul class=\"cards\">"
            body += limits.map(HTML.card).joined()
            body += "</ul>\n"
        }
        let shown = methods.count > 1 ? [total] + methods : methods
        body += HTML.figure(
            .latencyCurve(shown.prefix(Self.maxCurves).map { ($0.method, $0.latencies) }))
        // Of one point there is no line.
        if course.points.count > 1 { body += courses }
        body += "<h2>Methods</h2>\n" + Self.table("", shown.map { ($0.method, $0) })
        if let stages {
            body += "<h2>Stages</h2>\n" + Self.table("", stages.map { ($0.text, $0.calls) })
        }
        let messages = messageRows("round trip: ms")
        if let head = messages.first {
            body += "<h2>Messages</h2>\n" + HTML.table(head, Array(messages.dropFirst()))
        }
        if let processorText { body += "<p>\(HTML.text(processorText))</p>\n" }
        if !total.errors.isEmpty {
            body += "<h2>Errors</h2>\n"
            body += HTML.table(
                ["Code", "Method", "Text of the first", "Calls"],
                methods.flatMap { calls in
                    calls.errors.map { [$0.code, calls.method, $0.message, "\($0.count)"] }
                }, numbersFrom: 3)
        }
        return HTML.page("Load of \(setup.title)", body)
    }

    private var courses: String {
        let isOpen = course.points.contains { $0.targetPerSecond != nil }
        let target: [(String, (LoadCourse.Point) -> Double)] =
            isOpen ? [("due", { $0.targetPerSecond ?? 0 })] : []
        let callers =
            course.points.contains { $0.callers != nil }
            ? HTML.figure(
                .course(
                    "Callers over time", unit: "callers", course, [("callers", { $0.callers ?? 0 })]
                )
            ) : ""
        return HTML.figure(
            .course(
                "Latency over time", unit: "ms", course,
                [("p50", { $0.p50Ms }), ("p99", { $0.p99Ms }), ("max", { $0.maxMs })]))
            + HTML.figure(
                .course(
                    "Calls over time", unit: "calls/s", course,
                    [
                        ("calls/s", { $0.callsPerSecond }),
                        (
                            "failed",
                            {
                                $0.calls > 0
                                    ? $0.callsPerSecond * Double($0.errors) / Double($0.calls) : 0
                            }
                        ),
                    ] + target)) + callers
    }

    private static func table(_ head: String, _ rows: [(name: String, calls: Calls)]) -> String {
        HTML.table(
            [head, "calls", "calls/s", "errors", "mean ms"] + percents.map { "\(name(of: $0)) ms" }
                + ["max ms"],
            rows.map { name, calls in
                let latencies = calls.latencies
                return [
                    name, "\(calls.calls)", LoadNumber.text(calls.callsPerSecond, 1),
                    "\(calls.failed)", LoadNumber.milliseconds(latencies.mean),
                ]
                    + percents.map { LoadNumber.milliseconds(latencies.percentile($0)) }
                    + [LoadNumber.milliseconds(latencies.max)]
            })
    }
}
