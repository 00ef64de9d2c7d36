import RocketProgram
import RocketSystem
import Testing

@testable import RocketToolKit

@Suite struct LoadSearchReportTests {
    /// A step whose p99 is 99 ms times the factor.
    private func step(
        _ rate: Double, factor: Double, fromBegin: Double? = nil, busy: Double = 10
    ) throws -> (LoadSearchReport.Step, LoadReport) {
        var load = LoadReports.report("a", factor: factor)
        load.client = .init(busyPercent: busy)
        let limits = try [LoadLimit("p99=20ms"), LoadLimit("errors=10%")]
        return (
            .init(
                rate: rate, load,
                fromBegin: LoadReports.report("a", factor: fromBegin ?? factor), limits), load
        )
    }

    private func report(neededCalls: Int = 0) throws -> LoadSearchReport {
        var search = RateSearch(.init(first: 100))
        var report = LoadSearchReport(
            LoadReports.setup, search.settings,
            .init(
                concurrency: 1, connections: 1, threads: 1, duration: .seconds(5),
                warmUp: .seconds(1)), ["p99=20ms", "errors=10%"], neededCalls)
        for _ in 0..<4 {
            let rate = try #require(search.next)
            let (step, load) = try step(rate, factor: rate / 1000)
            search.record(step.verdict)
            report.add(step, load)
        }
        report.end(search, isStopped: true)
        return report
    }

    @Test(
        "A miss is the client's if it had no time left, or if its calls met the limits once begun")
    func verdicts() throws {
        #expect(try step(1, factor: 0.1).0.verdict == .held)
        #expect(try step(1, factor: 0.1, busy: 100).0.verdict == .held)
        #expect(try step(1, factor: 1).0.verdict == .missed)
        #expect(try step(1, factor: 1, busy: 79).0.verdict == .missed)
        #expect(try step(1, factor: 1, busy: 80).0.verdict == .client)
        #expect(try step(1, factor: 1, fromBegin: 0.1).0.verdict == .client)
        let late = try step(1, factor: 1, fromBegin: 0.1).0
        #expect(late.text == "missed p99=20ms: the client could not keep up")
        #expect(late.p99Ms > 90 && late.p99FromBeginMs < 11)
    }

    @Test("A result of few calls says so")
    func fewCalls() throws {
        let calls = try #require(try report().best?.total.calls)
        #expect(try report(neededCalls: calls).summary.contains("of only") == false)
        #expect(
            try report(neededCalls: calls + 1).summary.contains(
                "(of only \(calls) calls: a verdict needs \(calls + 1))"))
    }

    @Test(
        "A verdict needs five calls beyond the percentile",
        arguments: [("p50=1s", 10), ("p99=1s", 500), ("p99.9=1s", 5000), ("errors=1%", 100)])
    func neededCalls(limit: String, calls: Int) throws {
        #expect(try abs(LoadLimit(limit).neededCalls - calls) <= 1)
    }

    @Test("The table has the steps by their rates, then the result")
    func table() throws {
        var report = try report()
        #expect(report.rate == 200 && report.best?.limits.count == 2)
        report.judge(try [LoadLimit("rate=150"), LoadLimit("rate=201"), LoadLimit("p99=20ms")])
        let lines = report.lines
        #expect(lines[0].hasSuffix("p99=20ms, errors=10%, interrupted"))
        #expect(lines[2].hasPrefix("calls/s  reached  errors  not begun  p50 ms"))
        #expect(lines[3...6].map { $0.prefix(7) } == ["    100", "    200", "    400", "    400"])
        #expect(lines[4].hasSuffix("10 %  held") && lines[5].hasSuffix("missed p99=20ms"))
        #expect(
            lines[8].hasPrefix("200 calls/s is the highest rate at which all limits held, so far"))
        #expect(
            lines.suffix(2) == [
                "rate=150: 200 calls/s, met", "rate=201: 200 calls/s, MISSED",
            ])
    }

    @Test("The summary says why the rate is not higher")
    func summaries() throws {
        var report = try report()
        for (bound, text) in [
            (RateSearch.Bound.server, "to within 5.0 %"), (.client, "the client could not keep up"),
            (.highestRate, "the highest rate that was tried"), (.unfinished, "not finished"),
        ] {
            report.bound = bound
            #expect(report.summary.contains(text))
        }
        report.rate = nil
        #expect(report.summary.contains("No rate held"))
        report.steps = []
        #expect(report.summary == "No step has ended")
    }

    @Test("The page has a curve over the rate, cut at twice the limit, and no script")
    func page() throws {
        let report = try report()
        let html = report.html
        for part in [
            "Latency over rate", "cut at twice the limit", "limit of p99", "missed p99=20ms",
            "<b>200</b>", "Latency by percentile",
        ] {
            #expect(html.contains(part), "\(part)")
        }
        for part in ["<script", "src=", "nan,", "nan\"", "nan<", "inf"] {
            #expect(!html.contains(part))
        }
        var none = report
        (none.steps, none.rate, none.best) = ([], nil, nil)
        #expect(none.html.contains("<b>none</b>") && !none.html.contains("<svg"))
    }

    @Test("The JSON has the rate, the steps and the load of the best one")
    func json() throws {
        let json = try report().json()
        for part in [
            #""rate":200"#, #""bound":"unfinished""#, #""verdict":"held""#,
            #""p99_from_begin_ms":"#,
            #""client_busy_percent":10"#, #""best":{"#, #""step_seconds":5"#, #""max_steps":40"#,
        ] {
            #expect(json.contains(part), "\(part)")
        }
    }
}
