import FoundationEssentials
import Histogram

/// The result of a load. Its JSON has the same names as that of the reference clients
/// (Tests/Benchmarks/reference/load_report.h).
struct BenchReport: Encodable, Sendable {
    let calls: Int
    let slow_calls: Int
    let seconds: Double
    let calls_per_second: Double
    let server_cpu_us: Double
    let client_cpu_us: Double
    let p50_us: Double
    let p99_us: Double
    let p999_us: Double
    let max_us: Double
    /// Pairs of a latency in nanoseconds and its number of calls; empty unless requested.
    let histogram_ns: [[UInt64]]

    init(
        _ latencies: Histogram<UInt64>, calls: Int, slowCalls: Int? = nil, _ elapsed: Duration,
        _ spent: ProcessorTime.Spent, hasHistogram: Bool
    ) {
        func microseconds(_ percentile: Double) -> Double {
            Double(latencies.valueAtPercentile(percentile)) / 1000
        }
        self.calls = calls
        slow_calls = slowCalls ?? calls - Int(latencies.totalCount)
        seconds = elapsed / .seconds(1)
        calls_per_second = Double(calls) / seconds
        let perCall = Double(max(1, calls))
        server_cpu_us = spent.server / .microseconds(1) / perCall
        client_cpu_us = spent.client / .microseconds(1) / perCall
        p50_us = microseconds(50)
        p99_us = microseconds(99)
        p999_us = microseconds(99.9)
        max_us = Double(latencies.maxRecorded) / 1000
        histogram_ns =
            hasHistogram ? latencies.recordedValues().map { [$0.value, $0.count] } : []
    }

    /// Returns one line of JSON.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// A few lines for a terminal.
    var text: String {
        func number(_ value: Double, _ digits: Int) -> String {
            let unit = (0..<digits).reduce(Int64(1)) { unit, _ in unit * 10 }
            let (whole, rest) = Int64((value * Double(unit)).rounded())
                .quotientAndRemainder(dividingBy: unit)
            return digits == 0 ? "\(whole)" : "\(whole).\(String(unit + rest).dropFirst())"
        }
        let cpu =
            "client \(number(client_cpu_us, 2)) us"
            + (server_cpu_us > 0 ? ", server \(number(server_cpu_us, 2)) us" : "")
        return """
            \(calls) calls in \(number(seconds, 2)) s: \(number(calls_per_second, 0)) calls/s
            latency: p50 \(number(p50_us, 1)) us, p99 \(number(p99_us, 1)) us, \
            p99.9 \(number(p999_us, 1)) us, highest \(number(max_us, 1)) us
            processor time per call: \(cpu)
            """
    }
}
