import ArgumentParser
import RocketBase
import RocketProgram
import RocketRPC
import RocketSystem
import Testing

@testable import RocketToolKit

/// Reports made by hand.
enum LoadReports {
    static let setup = LoadReport.Setup(
        server: "127.0.0.1:1", wire: "TinyPB", loop: "closed loop", concurrency: 16, connections: 1,
        threads: 1, seed: 5, began: "2026-11-30T05:00:00Z")

    /// A report of 100 calls per method, with latencies of 1 ms, 2 ms … 100 ms times a factor; every
    /// tenth call of the first method fails.
    static func report(_ methods: String..., factor: Double = 1) -> LoadReport {
        var counts = LoadCounts(methods: methods.count)
        for method in methods.indices {
            for number in 1...100 {
                counts.record(
                    method, .milliseconds(Double(number) * factor),
                    method == 0 && number % 10 == 0
                        ? RPCError(.notFound, "no order \(number)") : nil)
            }
        }
        var course = LoadCourse()
        for second in 1...10 {
            course.add(
                .init(
                    second: Double(second), calls: 10 * methods.count, errors: 1,
                    callsPerSecond: Double(10 * methods.count), p50Ms: 50 * factor,
                    p99Ms: 99 * factor, maxMs: Double(second) * 10 * factor))
        }
        return LoadReport(
            setup, methods: methods, counts, seconds: 10, interrupted: false, course: course)
    }
}

@Suite struct LoadReportTests {
    @Test("Percentiles are those of the counts, without interpolation")
    func percentiles() {
        let latencies = LoadLatencies((1...100).map { (UInt64($0) * 1_000_000, 1) })
        #expect(latencies.percentile(50) == 50)
        #expect(latencies.percentile(99) == 99)
        #expect(latencies.percentile(99.9) == 100)
        #expect(latencies.percentile(100) == 100)
        #expect(latencies.percentile(0) == 1)
        #expect((latencies.min, latencies.max, latencies.mean) == (1, 100, 50.5))
        let none = LoadLatencies([(value: UInt64, count: UInt64)]())
        #expect((none.percentile(99), none.min, none.max, none.mean) == (0, 0, 0, 0))
    }

    @Test("A report is read as it was written")
    func json() throws {
        let report = LoadReports.report("Order.make", "Order.get")
        let json = try report.json()
        #expect(json.contains(#""p99.9":"#) && json.contains(#""calls_per_second":20"#))
        let path = "/tmp/rocket-load-\(UInt64.random(in: 0 ... .max)).json"
        try FileContents.write(Array(json.utf8), to: path)
        defer { try? FileSystem.remove(path) }
        let read = try LoadReport(file: path)
        #expect(read.total == report.total && read.methods == report.methods)
        #expect(read.setup == report.setup && read.course.points == report.course.points)
        try FileContents.write(Array("{}".utf8), to: path)
        let failure = #expect(throws: ProgramFailure.self) { try LoadReport(file: path) }
        #expect(failure?.status == .dataError)
    }

    @Test("A report that was read may have any numbers: nothing traps on them")
    func hostileNumbers() {
        var report = LoadReports.report("Order.make")
        for number in [Int.max, Int.min, -1] {
            report.total.calls = number
            report.total.errors = [
                .init("NOT_FOUND", count: number, ""), .init("OTHER", count: number, ""),
                .init(LoadCounts.notBegun, count: number, ""),
                .init(LoadCounts.notBegun, count: number, ""),
            ]
            report.total.histogramNs = [[.max, .max], [.max, .max], [0, 1], [1], []]
            report.total.callsPerSecond = Double(number) * 1e300
            report.methods = [report.total, report.total]
            let comparison = LoadComparison(base: report, new: report)
            #expect(!comparison.lines.isEmpty && comparison.html.contains("</svg>"))
        }
        report.total.errors = [.init("A", count: .max, ""), .init("B", count: 1, "")]
        #expect(report.total.failed == .max)
    }

    @Test("The table has a line for each method and for all, then errors and limits")
    func table() throws {
        var report = LoadReports.report("Order.make", "Order.get")
        report.limits = [try LoadLimit("p99=20ms").outcome(of: report)]
        #expect(
            report.lines == [
                "127.0.0.1:1 by TinyPB: closed loop, 16 callers, 1 connection, 10.0 s",
                "",
                "latency: ms  calls  calls/s  errors    p50    p90    p99   p99.9     max",
                "Order.make     100     10.0      10  50.00  90.05  99.02  100.01  100.01",
                "Order.get      100     10.0       0  50.00  90.05  99.02  100.01  100.01",
                "total          200     20.0      10  50.00  90.05  99.02  100.01  100.01",
                "",
                "errors",
                "  NOT_FOUND  10  Order.make  no order 10",
                "",
                "limits",
                "  p99=20ms  99.02 ms  MISSED",
            ])
        #expect(LoadReports.report("a").lines.count == 7)
    }

    @Test("A ramp has a table of its stages; a label is before the server")
    func stages() {
        var report = LoadReports.report("a")
        report.setup.label = "new"
        report.stages = [(0.0, 200.0), (200, 200)].map {
            .init(from: $0, to: $1, unit: "calls/s", seconds: 1.5, calls: report.total)
        }
        let lines = report.lines
        #expect(lines[0].hasPrefix("new: 127.0.0.1:1 by TinyPB"))
        #expect(lines[5].hasPrefix("stage, latency: ms          calls  calls/s"))
        #expect(lines[6].hasPrefix("0 to 200 calls/s in 1.50 s    100     10.0      10  50.00"))
        #expect(lines[7].hasPrefix("200 calls/s in 1.50 s         100"))
        #expect(
            report.html.contains("<h2>Stages</h2>") && report.html.contains("<h1>Load of new: "))
    }

    @Test("Text of the server can't move the cursor")
    func unsafeText() {
        var counts = LoadCounts(methods: 1)
        counts.record(0, .milliseconds(1), RPCError(.notFound, "\u{1B}[31m"))
        let report = LoadReport(
            LoadReports.setup, methods: ["a"], counts, seconds: 1, interrupted: false,
            course: .init())
        #expect(report.lines.allSatisfy { !$0.contains("\u{1B}") })
    }

    @Test("Kinds of errors beyond the limit are counted as others")
    func manyErrors() {
        var counts = LoadCounts(methods: 1)
        for code in 1...100 {
            counts.record(0, .milliseconds(1), RPCError(.init(rawValue: Int32(code)), ""))
        }
        let errors = counts.methods[0].errors
        #expect(errors.count == LoadCounts.maxErrors + 1)
        #expect(errors["others"]?.count == 50)
    }

    @Test("Calls that were never begun are errors of the methods by their weights")
    func notBegun() {
        var counts = LoadCounts(methods: 2)
        counts.addNotBegun(10, weights: [3, 1])
        let report = LoadReport(
            LoadReports.setup, methods: ["a", "b"], counts, seconds: 1, interrupted: false,
            course: .init())
        #expect(report.methods.map(\.failed) == [6, 4])
        #expect((report.total.calls, report.total.failed, report.total.errorShare) == (0, 10, 1))
    }

    @Test("Counts of loops are added")
    func adding() {
        var counts = LoadCounts(methods: 1)
        for _ in 0..<2 {
            var other = LoadCounts(methods: 1)
            other.record(0, .milliseconds(1), nil)
            other.record(0, .seconds(7200), RPCError(.callTimeout, "late"))
            counts.add(other)
        }
        #expect(counts.methods[0].calls == 4)
        #expect(counts.methods[0].errors["ERROR_RPC_CALL_TIMEOUT"]?.count == 2)
        #expect(counts.interval.errors == 2)
        // An hour is the highest that is recorded.
        #expect(abs(LoadLatencies(counts.methods[0].latencies).max - 3_600_000) < 3600)
    }

    @Test(
        "The course has at most 600 points: more become pairs, with all calls and the highest latency"
    )
    func course() {
        var course = LoadCourse()
        for number in 1...2000 {
            course.add(
                .init(
                    second: Double(number), calls: 2, errors: 1, callsPerSecond: 2, p50Ms: 1,
                    p99Ms: 2, maxMs: number == 7 ? 99 : 3))
        }
        #expect(course.points.count <= LoadCourse.maxPoints && course.points.count > 300)
        #expect(course.points.reduce(0) { $0 + $1.calls } == 4000)
        #expect(course.points.reduce(0) { $0 + $1.errors } == 2000)
        #expect(course.points.last?.second == 2000)
        #expect(course.points.allSatisfy { abs($0.callsPerSecond - 2) < 0.001 })
        #expect(course.points.filter { $0.maxMs == 99 }.count == 1)
    }

    @Test("The target of joined points is their mean by time")
    func target() {
        var course = LoadCourse()
        for second in [1.0, 2, 4] {
            let point = LoadCourse.Point(
                second: second, calls: 1, errors: 0, callsPerSecond: 1,
                targetPerSecond: second * 10, p50Ms: 1, p99Ms: 1, maxMs: 1)
            if second == 4 { course.addRest(point) } else { course.add(point) }
        }
        #expect(course.points.map(\.second) == [1, 4])
        #expect(abs((course.points[1].targetPerSecond ?? 0) - 100 / 3.0) < 0.001)
        #expect(course.points[1].callers == nil)
    }
}

@Suite struct LoadLimitTests {
    @Test(
        "Limits are met or missed",
        arguments: [
            ("p99=99.1ms", true), ("p99=98ms", false), ("max=101ms", true), ("max=100ms", false),
            ("mean=51ms", true), ("mean=50ms", false), ("errors=5%", true),
            ("errors=4.9%", false), ("errors=10", true), ("errors=9", false), ("rate=20", true),
            ("rate=20.1", false), ("b:errors=0", true), ("x.a:errors=9", false),
            ("c:errors=0", false),
        ])
    func outcomes(limit: String, isMet: Bool) throws {
        let outcome = try LoadLimit(limit).outcome(of: LoadReports.report("x.a", "x.b"))
        #expect(outcome.isMet == isMet, "\(outcome)")
    }

    @Test("A load without calls keeps no limit")
    func noCalls() throws {
        let report = LoadReport(
            LoadReports.setup, methods: ["a"], LoadCounts(methods: 1), seconds: 1,
            interrupted: true, course: .init())
        for limit in ["p99=1s", "mean=1s", "errors=1%", "errors=1", "rate=1"] {
            #expect(try !LoadLimit(limit).outcome(of: report).isMet)
        }
    }

    @Test(
        "What is no limit is refused",
        arguments: [
            "p99", "p99=", "p99=5x", "p101=5ms", "q99=5ms", "errors=x", "errors=101%", "errors=-1",
            "rate=-1", "rate=inf", "mean=1%", "=5ms",
        ])
    func refused(text: String) {
        #expect(throws: ValidationError.self) { try LoadLimit(text) }
    }
}
