import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP
import Testing

@testable import RocketAdmin

struct MetricsTests {
    private func view() -> AdminView {
        var view = Samples.view(Samples.snapshot(calls: 3, failures: 1))
        view.log.hasLog = true
        view.server.statistics.refusedForRate = 4
        view.server.statistics.refusedByReason = ["call_limit": 3, "draining": 0]
        var connection = RPCServerSnapshot.Connection(id: 1, peer: .loopback(port: 1))
        connection.kernelBytes = 5
        connection.unreadFor = .seconds(5)
        view.server.connections = [connection]
        view.process = ProcessFigures(
            residentBytes: 5, heapBytes: 4, openDescriptors: 3, descriptorLimit: 2,
            processorTime: .milliseconds(1500))
        let channel = RPCChannelSnapshot(target: "order", state: .ready)
        view.channels = [channel, channel]
        view.application = ApplicationMetrics().contents
        view.traces = AdminTraces(target: "collector")
        return view
    }

    @Test("counters, a histogram and gauges have their names, labels and values")
    func samples() {
        let text = view().metrics()
        for line in [
            "# TYPE rocket_server_handled_total counter",
            #"rocket_server_handled_total{service="shop.v1.Order",method="make",code="OK"} 3"#,
            #"rocket_server_handled_total{service="shop.v1.Order",method="make",code="UNAVAILABLE"} 1"#,
            #"rocket_server_handled_total{service="rocket.Health",method="check",code="OK"} 0"#,
            #"rocket_server_handling_seconds_bucket{service="shop.v1.Order",method="make",le="0.001"} 0"#,
            #"rocket_server_handling_seconds_bucket{service="shop.v1.Order",method="make",le="0.0025"} 4"#,
            #"rocket_server_handling_seconds_bucket{service="shop.v1.Order",method="make",le="+Inf"} 4"#,
            #"rocket_server_handling_seconds_count{service="shop.v1.Order",method="make"} 4"#,
            #"rocket_server_handling_seconds_sum{service="shop.v1.Order",method="make"} 0.008"#,
            #"rocket_server_limit_refusals_total{limit="connections"} 2"#,
            #"rocket_server_refusals_total{reason="rate"} 4"#,
            #"rocket_server_refusals_total{reason="call_limit"} 3"#,
            #"rocket_server_refusals_total{reason="draining"} 0"#,
            "rocket_server_kernel_bytes 5", "rocket_server_unread_peers 1",
            #"rocket_server_state{state="running"} 1"#, #"rocket_server_state{state="draining"} 0"#,
            "process_cpu_seconds_total 1.5", "process_resident_memory_bytes 5",
            #"rocket_client_in_flight{target="order"} 0"#,
            #"rocket_client_in_flight{target="order #2"} 0"#,
        ] {
            #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)")
        }
    }

    @Test(
        "the export of spans is in the metrics, on the page of channels, and among what needs attention"
    )
    func traces() {
        var view = Samples.view()
        #expect(!view.metrics().contains("rocket_trace"))
        #expect(view.tracesTables.isEmpty)
        var traces = AdminTraces(target: "127.0.0.1:4317")
        (traces.exported, traces.dropped, traces.rejected, traces.failed) = (1, 2, 3, 4)
        (traces.waiting, traces.exports, traces.failedExports) = (5, 6, 7)
        view.traces = traces
        for line in [
            #"rocket_trace_spans_total{result="exported"} 1"#,
            #"rocket_trace_spans_total{result="dropped"} 2"#,
            #"rocket_trace_spans_total{result="rejected"} 3"#,
            #"rocket_trace_spans_total{result="failed"} 4"#, "rocket_trace_spans_waiting 5",
            #"rocket_trace_exports_total{result="ok"} 6"#,
            #"rocket_trace_exports_total{result="failed"} 7"#,
        ] {
            #expect(view.metrics().split(separator: "\n").contains(Substring(line)), "\(line)")
        }
        #expect(view.findings.isEmpty)
        let query = FormFields()
        #expect(AdminPage.channels.contents(view, query).json.text.contains(#""dropped":2"#))
        view.traces?.failure = "<down>"
        #expect(view.findings.map(\.page) == [.channels])
        let page = AdminPage.channels.contents(view, query).live.text
        #expect(page.contains("&lt;down&gt;"))
    }

    @Test("no sample occurs twice, and every line belongs to a family that is documented")
    func wellFormed() {
        var seen: Set<Substring> = []
        var current: MetricFamily?
        for line in view().metrics().split(separator: "\n") {
            if line.hasPrefix("# HELP ") {
                let name = line.dropFirst(7).prefix { $0 != " " }
                current = MetricFamily.all.first { $0.name == name }
                #expect(current != nil, "\(line)")
                continue
            }
            if line.hasPrefix("#") { continue }
            #expect(current.map { line.hasPrefix($0.name) } == true)
            let name = line[..<(line.lastIndex(of: " ") ?? line.endIndex)]
            #expect(seen.insert(name).inserted, "\(line)")
        }
        #expect(Set(MetricFamily.all.map(\.name)).count == MetricFamily.all.count)
        #expect(
            MetricFamily.all.allSatisfy { ($0.kind == .counter) == $0.name.hasSuffix("_total") })
    }

    @Test(
        "in OpenMetrics counters have their family's name, bounds a fraction, and the text an end")
    func openMetrics() {
        let text = view().metrics(.openMetrics)
        let lines = text.split(separator: "\n")
        for line in [
            "# TYPE rocket_server_handled counter",
            #"rocket_server_handled_total{service="shop.v1.Order",method="make",code="OK"} 3"#,
            "# TYPE rocket_server_handling_seconds histogram",
            "# UNIT rocket_server_handling_seconds seconds",
            #"rocket_server_handling_seconds_bucket{service="shop.v1.Order",method="make",le="1.0"} 4"#,
            #"rocket_server_handling_seconds_bucket{service="shop.v1.Order",method="make",le="+Inf"} 4"#,
            "# TYPE process_resident_memory_bytes gauge", "# UNIT process_cpu_seconds seconds",
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
        #expect(text.hasSuffix("\n# EOF\n"))
        let types = lines.filter { $0.hasPrefix("# TYPE ") }
        #expect(Set(types).count == types.count)
        #expect(!view().metrics().contains("EOF"))
        #expect(!view().metrics().contains("# UNIT"))
    }

    @Test("A bucket has the newest call of a trace that took as long, in OpenMetrics only")
    func exemplars() throws {
        var view = view()
        func exemplar(_ id: String, _ duration: Duration, _ seconds: Int64) {
            view.server.methods[0].exemplars.append(
                .init(
                    traceID: id, spanID: "b", duration: duration,
                    time: WallTime(nanoseconds: seconds * 1_000_000_000 + 7_900_000)))
        }
        exemplar("old", .milliseconds(2), 100)
        exemplar("new", .microseconds(2500), 200)
        exemplar("other", .microseconds(1500), 150)
        exemplar("long", .seconds(60), 100)
        let start =
            #"rocket_server_handling_seconds_bucket{service="shop.v1.Order",method="make",le="#
        let lines = view.metrics(.openMetrics).split(separator: "\n").map(String.init)
        let found = lines.filter { $0.contains(" # {") }
        try #require(found.count == 2)
        #expect(
            found[0] == start + #""0.0025"} 4 # {trace_id="new",span_id="b"} 0.0025 200.007"#)
        #expect(found[1] == start + #""+Inf"} 4 # {trace_id="long",span_id="b"} 60 100.007"#)
        #expect(!view.metrics().contains("trace_id"))
    }

    @Test("A gauge and a counter of nearly the same name are two families in OpenMetrics")
    func clash() {
        var text = PrometheusText(.openMetrics)
        text.write(MetricFamily(.gauge, "orders", "A gauge"), 1)
        text.write(MetricFamily(.counter, "orders_total", "A \"counter\""), 2)
        text.end()
        #expect(
            text.text == """
                # TYPE orders gauge
                # HELP orders A gauge
                orders 1
                # TYPE orders_total unknown
                # HELP orders_total A \\"counter\\"
                orders_total 2
                # EOF

                """)
    }

    @Test(
        "OpenMetrics is for who prefers it",
        arguments: [
            (nil, false), ("", false), ("*/*", false), ("text/plain", false), ("text/html", false),
            ("application/openmetrics-text", true),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", true),
            ("application/openmetrics-text;version=0.0.1", false),
            ("application/openmetrics-text;q=0", false),
            ("application/openmetrics-text;q=x", false),
            ("application/openmetrics-text;version=1.0.0;q=0.4,text/plain;q=0.5", false),
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1,Application/OpenMetrics-Text;q=0.5", true),
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
                    + "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", true
            ),
        ])
    func negotiation(accept: String?, isOpenMetrics: Bool) {
        #expect(
            PrometheusText.Format(accept: accept) == (isOpenMetrics ? .openMetrics : .prometheus))
    }

    @Test("labels and help are escaped")
    func escapes() {
        #expect(PrometheusText.escapedLabel("a\"b\\c\nd") == "a\\\"b\\\\c\\nd")
        #expect(PrometheusText.escapedHelp("a\\b\n\"") == "a\\\\b\\n\"")
        #expect(PrometheusText.number(3) == "3")
        #expect(PrometheusText.number(0.25) == "0.25")
        #expect(PrometheusText.number(.infinity) == "+Inf")
        #expect(PrometheusText.number(.nan) == "NaN")
    }

    @Test("docs/metrics.md has the table of the metrics")
    func documentation() throws {
        let path = "\(#filePath)".split(separator: "/").dropLast(6).joined(separator: "/")
        let bytes = try FileContents.read("/\(path)/docs/metrics.md", limit: 1 << 20)
        let document = String(decoding: bytes, as: UTF8.self)
        #expect(
            document.contains(MetricFamily.documentation),
            "docs/metrics.md should contain:\n\(MetricFamily.documentation)")
    }

    @Test("a name is split at its last dot")
    func names() {
        #expect(MethodLabels("a.b.C.d").service == "a.b.C")
        #expect(MethodLabels("a.b.C.d").method == "d")
        #expect(MethodLabels("unknown").service.isEmpty)
        #expect(MethodLabels("unknown").method == "unknown")
    }
}
