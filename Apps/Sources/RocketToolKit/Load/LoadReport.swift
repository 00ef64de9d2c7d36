import FoundationEssentials
import Histogram
import RocketBase
import RocketProgram
import RocketRPC
import RocketSystem

/// The result of a load, and its JSON. A value.
struct LoadReport: Codable, Hashable, Sendable {
    /// The longest file that is read as a report, in bytes.
    static let maxFileBytes = 64 << 20

    /// Calls that failed in the same way.
    struct Errors: Codable, Hashable, Sendable {
        /// `NOT_FOUND`.
        var code: String
        var count: Int
        /// That of the first of them.
        var message: String

        init(_ code: String, count: Int, _ message: String) {
            (self.code, self.count, self.message) = (code, count, message)
        }

        init(_ error: RPCError) {
            self.init(CallReport.name(of: error.code), count: 1, String(error.message.prefix(200)))
        }
    }

    /// The calls of one method, or all.
    struct Calls: Codable, Hashable, Sendable {
        /// `shop.v1.Order.makeOrder`; `total` for all.
        var method: String
        /// Those that have ended, with or without an error.
        var calls: Int
        /// The most frequent ones first.
        var errors: [Errors]
        var callsPerSecond: Double
        /// Of all calls, in milliseconds: min, mean, p50 … p99.99, max. For readers of the JSON.
        var latencyMs: [String: Double]
        /// Pairs of a latency in nanoseconds and its number of calls.
        var histogramNs: [[UInt64]]
        /// Of a method with streams.
        var messages: Messages?

        init(_ method: String, calls: Int, errors: [Errors], seconds: Double, _ all: LoadLatencies)
        {
            self.method = method
            self.calls = calls
            self.errors = errors.sorted { ($1.count, $0.code) < ($0.count, $1.code) }
            callsPerSecond = seconds > 0 ? Double(calls) / seconds : 0
            latencyMs = all.milliseconds
            histogramNs = all.pairs
        }

        init(_ method: String, _ counts: LoadCounts.OfMethod, seconds: Double) {
            self.init(
                method, calls: counts.calls, errors: Array(counts.errors.values), seconds: seconds,
                LoadLatencies(counts.latencies))
            messages = counts.messages.map { Messages($0, seconds: seconds) }
        }

        var latencies: LoadLatencies {
            LoadLatencies(histogramNs.compactMap { $0.count == 2 ? ($0[0], $0[1]) : nil })
        }
        var failed: Int { Self.sum(errors) }
        /// Those that were due and found all callers busy until the end.
        var notBegun: Int { Self.sum(errors.filter { $0.code == LoadCounts.notBegun }) }
        /// The share of calls that failed or were never begun, 0 to 1.
        var errorShare: Double {
            let all = Double(calls) + Double(notBegun)
            return all > 0 ? Double(failed) / all : 0
        }

        /// The largest or smallest number where the sum is beyond it: a report that was read can
        /// have any numbers.
        private static func sum(_ errors: [Errors]) -> Int {
            errors.reduce(0) { sum, error in
                let (next, overflow) = sum.addingReportingOverflow(error.count)
                return overflow ? (sum < 0 ? .min : .max) : next
            }
        }
    }

    /// What was called, and how.
    struct Setup: Codable, Hashable, Sendable {
        var server: String
        /// TinyPB or gRPC.
        var wire: String
        /// What the user calls the load; missing: it has no name.
        var label: String?
        /// `closed loop`, or the rates of an open one.
        var loop: String
        var concurrency: Int
        var connections: Int
        var threads: Int
        /// Of the values of placeholders.
        var seed: UInt64
        /// UTC, as in ISO 8601.
        var began: String
    }

    /// A part of a ramp, with the calls that were due in it (of a closed loop: begun).
    struct Stage: Codable, Hashable, Sendable {
        /// Calls per second, or callers, at its beginning and at its end.
        var from: Double
        var to: Double
        /// `calls/s` or `callers`.
        var unit: String
        var seconds: Double
        /// `method` is empty; the rate is that of the part that was measured.
        var calls: Calls
    }

    /// What the load cost this side.
    struct Client: Codable, Hashable, Sendable {
        /// The share of its time in which the busiest thread worked, in percent. Near 100 the client,
        /// and not the server, may be what limits the rate, and adds to latencies.
        var busyPercent: Double
        /// Its processor time in microseconds per call.
        var processorUs: Double?
    }

    var setup: Setup
    /// The time that was measured.
    var seconds: Double
    /// Whether a signal has ended the load early.
    var interrupted: Bool
    var total: Calls
    /// In the order in which they were named.
    var methods: [Calls]
    var course: LoadCourse
    var limits: [LoadLimit.Outcome] = []
    var client: Client?
    /// Only if its processes were named.
    var server: Server?
    /// Those of a ramp.
    var stages: [Stage]?

    static let percents = [50.0, 75, 90, 95, 99, 99.9, 99.99]

    /// `p99.9`.
    static func name(of percent: Double) -> String {
        percent == percent.rounded() ? "p\(Int(percent))" : "p\(percent)"
    }

    /// - Parameter methods: names, in the order of `counts`.
    init(
        _ setup: Setup, methods names: [String], _ counts: LoadCounts, seconds: Double,
        interrupted: Bool, course: LoadCourse
    ) {
        var all = LoadCounts.OfMethod()
        methods = zip(names, counts.methods).map { name, counts in
            all.calls += counts.calls
            all.latencies.add(counts.latencies)
            for error in counts.errors.values { all.add(error) }
            return Calls(name, counts, seconds: seconds)
        }
        total = Calls("total", all, seconds: seconds)
        (self.setup, self.seconds, self.interrupted) = (setup, seconds, interrupted)
        self.course = course
    }

    /// Returns one line of JSON.
    func json() throws -> String { try Self.json(of: self) }

    /// Returns a value as one line of JSON, as in reports.
    static func json(of value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return TerminalText.safeJSON(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Reads a report.
    ///
    /// - Throws: `ProgramFailure` for a file that can't be read or is none.
    init(file: String) throws(ProgramFailure) {
        let text = try RequestInput.text(ofFile: file, limit: Self.maxFileBytes)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { self = try decoder.decode(Self.self, from: Data(text.utf8)) } catch {
            throw ProgramFailure("\(file) is no report of `rocket load --json`", status: .dataError)
        }
    }
}
