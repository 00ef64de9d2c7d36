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
        return view
    }

    @Test("counters, a histogram and gauges have their names, labels and values")
    func samples() {
        let text = view().metrics
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

    @Test("no sample occurs twice, and every line belongs to a family that is documented")
    func wellFormed() {
        var seen: Set<Substring> = []
        var current: MetricFamily?
        for line in view().metrics.split(separator: "\n") {
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
