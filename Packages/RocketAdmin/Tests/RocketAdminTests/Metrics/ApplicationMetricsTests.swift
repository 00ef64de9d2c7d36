import Metrics
import Testing

@testable import RocketAdmin

struct ApplicationMetricsTests {
    private func lines(_ metrics: ApplicationMetrics) -> [String] {
        var text = PrometheusText()
        metrics.contents.write(&text)
        return text.text.split(separator: "\n").map(String.init)
    }

    private func refused(_ reason: String, _ metrics: ApplicationMetrics) -> Int? {
        let start = "rocket_metrics_refused_total{reason=\"\(reason)\"} "
        return lines(metrics).first { $0.hasPrefix(start) }.flatMap {
            Int($0.dropFirst(start.count))
        }
    }

    @Test("counters, gauges, recorders and timers have the text of their kind")
    func kinds() {
        let metrics = ApplicationMetrics()
        let counter = Counter(label: "orders", dimensions: [("kind", "gift")], factory: metrics)
        counter.increment(by: 2)
        counter.increment(by: -1)
        Counter(label: "orders", dimensions: [("kind", "gift")], factory: metrics).increment()
        FloatingPointCounter(label: "weight_total", factory: metrics).increment(by: 1.5)
        let meter = Meter(label: "tables.free", factory: metrics)
        meter.set(7)
        meter.decrement(by: 0.5)
        Gauge(label: "temperature", factory: metrics).record(-3.5)
        let recorder = Recorder(label: "goods", factory: metrics)
        for value in [1, 3, 1_000_000] { recorder.record(value) }
        let timer = Timer(label: "packing", factory: metrics)
        timer.recordMilliseconds(2)
        timer.recordNanoseconds(-1)

        let text = lines(metrics)
        for line in [
            "# HELP orders_total A counter of the program", "# TYPE orders_total counter",
            #"orders_total{kind="gift"} 3"#, "weight_total 1.5", "# TYPE tables_free gauge",
            "tables_free 6.5", "temperature -3.5", "# TYPE goods histogram",
            #"goods_bucket{le="1"} 1"#, #"goods_bucket{le="2.5"} 1"#, #"goods_bucket{le="5"} 2"#,
            #"goods_bucket{le="100000"} 2"#, #"goods_bucket{le="+Inf"} 3"#, "goods_sum 1000004",
            "goods_count 3", #"packing_seconds_bucket{le="0.0001"} 1"#,
            #"packing_seconds_bucket{le="0.0025"} 2"#, "packing_seconds_sum 0.002",
            "rocket_metrics_series 6",
        ] {
            #expect(text.contains(line), "\(line) in \(text.joined(separator: "\n"))")
        }
    }

    @Test("names and labels become what Prometheus takes, values are escaped")
    func sanitizes() {
        let metrics = ApplicationMetrics()
        Meter(
            label: "9 Größe:x",
            dimensions: [("le", "a\"b\\"), ("__x", "1"), ("ä.b", "line\n")],
            factory: metrics
        ).set(1)
        #expect(
            lines(metrics).contains(
                #"_9_Gr__e_x{label__b="line\n",label__x="1",le_="a\"b\\"} 1"#),
            "\(lines(metrics))")
    }

    @Test("at a limit a handle records nothing and is counted, and other series go on")
    func limits() {
        var limits = MetricsLimits()
        limits.series = 2
        limits.labels = 1
        limits.nameBytes = 8
        limits.valueBytes = 4
        let metrics = ApplicationMetrics(limits: limits)
        let first = Counter(label: "a", factory: metrics)
        Counter(label: "b", factory: metrics).increment()
        Counter(label: "c", factory: metrics).increment()
        first.increment()
        #expect(refused("series", metrics) == 1)
        #expect(lines(metrics).contains("a_total 1"))
        #expect(!lines(metrics).contains { $0.hasPrefix("c_total") })

        first.destroy()
        Counter(label: "c", factory: metrics).increment()
        #expect(lines(metrics).contains("c_total 1"))
        #expect(!lines(metrics).contains { $0.hasPrefix("a_total") })
        first.destroy()
        #expect(lines(metrics).contains("rocket_metrics_series 2"))

        Counter(label: "", factory: metrics).increment()
        Counter(label: "123456789", factory: metrics).increment()
        #expect(refused("name", metrics) == 2)
        Counter(label: "b", dimensions: [("x", "12345")], factory: metrics).increment()
        Counter(label: "b", dimensions: [("x", "1"), ("y", "1")], factory: metrics).increment()
        #expect(refused("labels", metrics) == 2)
    }

    @Test("a name can't be one of /metrics' own, nor have two kinds, nor a label twice")
    func collisions() {
        let metrics = ApplicationMetrics()
        for family in MetricFamily.all {
            _ = Meter(label: family.name, factory: metrics)
            _ = Counter(label: family.name, factory: metrics)
        }
        #expect(refused("name", metrics) == 2 * MetricFamily.all.count)
        Counter(label: "rocket_rpc_calls", factory: metrics).increment()
        #expect(lines(metrics).contains("rocket_rpc_calls_total 1"))

        _ = Recorder(label: "size", factory: metrics)
        for taken in ["size", "size_sum", "size_bucket", "size_count", "rocket_rpc_calls_total"] {
            _ = Meter(label: taken, factory: metrics)
        }
        _ = FloatingPointCounter(label: "rocket_rpc_calls", factory: metrics)
        _ = Meter(label: "x_sum", factory: metrics)
        _ = Recorder(label: "x", factory: metrics)
        #expect(refused("kind", metrics) == 7)
        _ = Meter(label: "m", dimensions: [("a.b", "1"), ("a_b", "2")], factory: metrics)
        #expect(refused("labels", metrics) == 1)
    }

    @Test("values that are no numbers change no histogram and no counter")
    func numbers() {
        let metrics = ApplicationMetrics()
        let recorder = metrics.makeRecorder(label: "x", dimensions: [], aggregate: true)
        let counter = metrics.makeFloatingPointCounter(label: "y", dimensions: [])
        for value in [Double.nan, .infinity, -.infinity] {
            recorder.record(value)
            counter.increment(by: value)
        }
        counter.increment(by: -1)
        #expect(lines(metrics).contains("x_count 0"))
        #expect(lines(metrics).contains("x_sum 0"))
        #expect(lines(metrics).contains("y_total 0"))
    }

    @Test("threads that record at once lose nothing")
    func concurrent() async {
        let metrics = ApplicationMetrics()
        await withTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    let counter = Counter(label: "n", factory: metrics)
                    let fraction = FloatingPointCounter(label: "f", factory: metrics)
                    let recorder = Recorder(label: "r", factory: metrics)
                    for _ in 0..<1000 {
                        counter.increment()
                        fraction.increment(by: 0.5)
                        recorder.record(2)
                    }
                }
            }
        }
        #expect(lines(metrics).contains("n_total 4000"))
        #expect(lines(metrics).contains("f_total 2000"))
        #expect(lines(metrics).contains("r_count 4000"))
        #expect(lines(metrics).contains("r_sum 8000"))
    }
}
