import ArgumentParser
import RocketSystem
import Testing

@testable import RocketToolKit

@Suite struct SVGChartTests {
    private func chart(_ values: Double...) -> SVGChart {
        SVGChart(
            title: "t", unit: "ms",
            series: [.init(name: "s", points: values.map { (0.5, $0) })], columns: [])
    }

    @Test("The y axis ends at the first round number that is not below the highest value")
    func rows() {
        #expect(chart().rows == [0, 1])
        #expect(chart(0).rows == [0, 1])
        #expect(chart(5).rows == [0, 1, 2, 3, 4, 5])
        #expect(chart(5.01).rows == [0, 2, 4, 6])
        #expect(chart(10).rows == [0, 2, 4, 6, 8, 10])
        #expect(chart(21).rows == [0, 5, 10, 15, 20, 25])
        for exponent in -3...7 {
            for digit in 1...99 {
                let value = (0..<abs(exponent)).reduce(Double(digit)) { value, _ in
                    exponent > 0 ? value * 10 : value / 10
                }
                let rows = chart(value).rows
                #expect((2...7).contains(rows.count), "\(value): \(rows)")
                #expect(rows[rows.count - 1] >= value, "\(value): \(rows)")
            }
        }
        #expect(chart(.infinity).rows == [0, 1])
    }

    @Test("Logarithms are those of the field")
    func logarithms() {
        for (value, logarithm) in [
            (1.0, 0.0), (2, 0.301_030), (10, 1), (50, 1.698_970), (1e6, 6), (0.1, 0),
        ] {
            #expect(abs(SVGChart.decimalLogarithm(value) - logarithm) < 1e-5)
        }
    }

    @Test("Each further nine of a percentile has the same space")
    func positions() {
        let places = [0, 90, 99, 99.9, 99.99, 99.9999, 100].map(SVGChart.position)
        for (place, wanted) in zip(places, [0, 1, 2, 3, 4, 6, 6]) {
            #expect(abs(place * 6 - Double(wanted)) < 1e-4)
        }
    }

    @Test("A latency curve rises in steps through its percentiles, and ends where the calls do")
    func curve() throws {
        let latencies = LoadLatencies((1...1000).map { (UInt64($0) * 1_000_000, 1) })
        let chart = SVGChart.latencyCurve([("all", latencies)])
        #expect(chart.columns.map(\.label) == ["min", "p50", "p90", "p99", "p99.9"])
        let points = chart.series[0].points
        #expect(points[0] == (0, 1) && points[points.count - 1] == (1, 1000))
        for (one, next) in zip(points, points.dropFirst()) {
            #expect(one.x <= next.x && one.y <= next.y)
        }
        // Marks are on the curve.
        for mark in chart.series[0].marks {
            let after = try #require(points.first { $0.x >= mark.x - 1e-9 && $0.y >= mark.y })
            #expect(after.y - mark.y <= 20, "\(mark)")
        }
        #expect(chart.series[0].marks.map(\.text).contains("all p99: 990.00 ms"))
    }

    @Test("A curve without calls, or with one, can be drawn")
    func small() {
        for counts in [[], [(value: UInt64(5_000_000), count: UInt64(1))]] {
            let svg = SVGChart.latencyCurve([("none", LoadLatencies(counts))]).svg
            #expect(!svg.contains("nan") && !svg.contains("inf") && svg.contains("</svg>"))
        }
    }

    @Test("Coordinates are within the view box, from the lower left to the upper right")
    func coordinates() {
        let svg = SVGChart(
            title: "a < b", unit: "ms",
            series: [.init(name: "s", points: [(0, 0), (0.5, 2.5), (1, 5)])], columns: [(0, "0 s")]
        ).svg
        #expect(svg.contains(#"points="64.0,268.0 376.0,146.0 688.0,24.0""#))
        #expect(svg.contains(#"aria-label="a &lt; b""#))
        #expect(svg.contains(#"<text class="column" x="64.0" y="290.0">0 s</text>"#))
    }
}

@Suite struct LoadPageTests {
    @Test("A page has no script, no other file, and escapes what it shows")
    func page() throws {
        var report = LoadReports.report("a<b>.&c\u{1B}", "b")
        report.limits = [try LoadLimit("p99=20ms").outcome(of: report)]
        let html = report.html
        for part in ["<script", "src=", "http:", "https:", "a<b>", "\u{1B}"] {
            #expect(!html.contains(part), "\(part)")
        }
        for part in [
            "<title>Load of 127.0.0.1:1</title>", "a&lt;b&gt;.&amp;c ", "prefers-color-scheme:dark",
            "<h2>Latency by percentile</h2>", "missed</b>", "<td>no order 10</td>",
            "16 callers, 1 connection, 10.0 s", "begun", "seed 5",
        ] {
            #expect(html.lowercased().contains(part.lowercased()), "\(part)")
        }
        #expect(html.components(of: "<svg") == 3)
    }

    @Test("A load without calls has a page")
    func empty() {
        let report = LoadReport(
            LoadReports.setup, methods: ["a"], LoadCounts(methods: 1), seconds: 0,
            interrupted: true, course: .init())
        #expect(report.html.contains("interrupted"))
        // Nothing has a course.
        #expect(report.html.components(of: "<svg") == 1)
        for wrong in ["nan,", "nan\"", "nan ", "nan<", "inf"] {
            #expect(!report.html.contains(wrong))
        }
    }
}

extension String {
    fileprivate func components(of part: String) -> Int { ranges(of: part).count }
}

@Suite struct LoadComparisonTests {
    private let comparison = LoadComparison(
        base: LoadReports.report("a", "b"), new: LoadReports.report("b", "c", factor: 2))

    @Test("Values of all calls and of methods in both are compared")
    func rows() throws {
        let rows = comparison.rows
        #expect(Set(rows.map(\.method)) == ["total", "b"])
        let rate = try #require(rows.first { $0.name == "calls/s" })
        #expect((rate.base, rate.new, rate.changeText) == (20, 20, "0.0 %"))
        let p50 = try #require(rows.first { $0.name == "p50" })
        #expect(abs(try #require(p50.change) - 100) < 1)
        #expect(rows.first { $0.method == "b" && $0.title == "errors %" }?.changeText == "-")
        #expect(comparison.lines[0].hasSuffix("before    after    change"))
        #expect(comparison.lines[3].contains("mean ms"))
        #expect(comparison.lines.count == rows.count + 1)
        #expect(comparison.html.contains("Two loads of 127.0.0.1:1"))
    }

    @Test("Labels are the heads of the columns")
    func labels() {
        var (base, new) = (comparison.base, comparison.new)
        (base.setup.label, new.setup.label) = ("1.0", "<2.0>")
        let labelled = LoadComparison(base: base, new: new)
        #expect(labelled.names == ("1.0", "<2.0>"))
        #expect(labelled.lines[0].contains("1.0    <2.0>"))
        #expect(labelled.html.contains("&lt;2.0&gt;"))
        new.setup.label = "1.0"
        #expect(LoadComparison(base: base, new: new).names == ("1.0, before", "1.0, after"))
        base.setup.label = nil
        #expect(LoadComparison(base: base, new: new).names == ("before", "1.0"))
    }

    @Test("One method has no rows of its own beside the total")
    func oneMethod() {
        let one = LoadReports.report("a")
        #expect(Set(LoadComparison(base: one, new: one).rows.map(\.method)) == ["total"])
    }

    @Test(
        "Limits are of what became worse",
        arguments: [
            ("p99=101%", true), ("p99=99%", false), ("max=150%", true), ("mean=10%", false),
            ("rate=0%", true), ("errors=0%", true),
        ])
    func limits(limit: String, isMet: Bool) throws {
        #expect(try (LoadComparison.Limit(limit).missed(by: comparison.rows) == nil) == isMet)
        let better = LoadComparison(base: comparison.new, new: comparison.base)
        #expect(try LoadComparison.Limit(limit).missed(by: better.rows) == nil)
    }

    @Test(
        "What is no limit is refused", arguments: ["p99", "p99=5ms", "p98=5%", "x=5%", "p99=-1%"])
    func refused(text: String) {
        #expect(throws: ValidationError.self) { try LoadComparison.Limit(text) }
    }
}

@Suite struct LoadViewTests {
    private func progress(_ requests: Int? = nil) -> LoadProgress {
        LoadProgress(
            elapsed: .seconds(5), duration: requests == nil ? .seconds(20) : nil,
            requests: requests, course: LoadReports.report("a", "b").course)
    }

    @Test("The view shows how much is done, calls, rate and percentiles")
    func lines() {
        let view = LoadView(setup: LoadReports.setup)
        #expect(
            view.lines(progress(), columns: 80) == [
                "127.0.0.1:1 by TinyPB, closed loop, 16 callers, 1 connection",
                "██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 25 %, 5.0 s of 20.0 s",
                "200 calls, 10 errors (5.00 %)",
                "                              ██████████ 20 calls/s",
                "                              ██████████ p50 50.00, p99 99.00, max 100.00 ms",
            ])
        #expect(view.lines(progress(400), columns: 80)[1].contains("50 %, 5.0 s"))
    }

    @Test("No line is as long as the terminal is wide", arguments: [1, 10, 40, 80, 200])
    func narrow(columns: Int) {
        let lines = LoadView(setup: LoadReports.setup).lines(progress(), columns: columns)
        #expect(lines.allSatisfy { $0.count < max(2, columns) })
    }

    @Test("A load that has just begun can be drawn")
    func beginning() {
        let lines = LoadView(setup: LoadReports.setup).lines(
            .init(elapsed: .zero, duration: nil, requests: nil, course: .init()), columns: 80)
        #expect(lines[2] == "0 calls, 0 errors")
    }

    @Test("Each drawing replaces the one before, and the end removes the last")
    func screen() {
        let written = Locked<[String]>([])
        let screen = LoadScreen(LoadView(setup: LoadReports.setup), columns: { 80 }) { line in
            written.withLock { $0.append(line) }
        }
        screen.end()
        screen.show(progress())
        screen.show(progress())
        screen.end()
        screen.end()
        let all = written.withLock { $0 }
        #expect(all.count == 3)
        #expect(!all[0].hasPrefix("\u{1B}") && all[0].split(separator: "\n").count == 5)
        #expect(all[1].hasPrefix("\u{1B}[5A\r"))
        #expect(all[2].hasPrefix("\u{1B}[5A\r\u{1B}[J"))
    }
}
