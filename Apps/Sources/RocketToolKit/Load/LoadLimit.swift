import ArgumentParser
import RocketProgram

/// A limit that a load must keep: `p99=20ms`, `max=1s`, `mean=5ms`, `errors=0.1%`, `errors=3`,
/// `rate=1000`; of one method: `Order.makeOrder:p99=20ms`. A value.
struct LoadLimit: Hashable, Sendable {
    enum Value: Hashable, Sendable {
        /// At most that many milliseconds at this percentile; 100 is the slowest call.
        case percentile(Double, milliseconds: Double)
        case mean(milliseconds: Double)
        /// At most this share of the calls, 0 to 1.
        case errorShare(Double)
        case errors(Int)
        /// At least that many calls per second.
        case rate(Double)
    }

    /// What a load has made of a limit.
    struct Outcome: Codable, Hashable, Sendable {
        /// As it was given.
        var limit: String
        /// `31.20 ms`.
        var value: String
        var isMet: Bool
    }

    /// As it was given.
    let text: String
    /// The method's name or the end of it; nil: all calls.
    let method: String?
    let value: Value

    init(_ text: String) throws {
        self.text = text
        guard let equals = text.lastIndex(of: "=") else { throw Self.failure(text) }
        var name = text[..<equals]
        method = name.lastIndex(of: ":").map { colon in
            defer { name = name[name.index(after: colon)...] }
            return String(name[..<colon])
        }
        let wanted = String(text[text.index(after: equals)...])
        let milliseconds = DurationArgument(argument: wanted).map { $0.duration / .milliseconds(1) }
        func number(_ text: Substring) -> Double? {
            Double(text).flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
        }
        switch name {
        case "mean":
            guard let milliseconds else { throw Self.failure(text) }
            value = .mean(milliseconds: milliseconds)
        case "errors" where wanted.hasSuffix("%"):
            guard let percent = number(wanted.dropLast()), percent <= 100 else {
                throw Self.failure(text)
            }
            value = .errorShare(percent / 100)
        case "errors":
            guard let count = Int(wanted), count >= 0 else { throw Self.failure(text) }
            value = .errors(count)
        case "rate":
            guard let rate = number(wanted[...]) else { throw Self.failure(text) }
            value = .rate(rate)
        default:
            let percent = name == "max" ? 100 : number(name.dropFirst())
            guard name == "max" || name.first == "p", let percent, (0...100).contains(percent),
                let milliseconds
            else { throw Self.failure(text) }
            value = .percentile(percent, milliseconds: milliseconds)
        }
    }

    private static func failure(_ text: String) -> ValidationError {
        ValidationError(
            "'\(text)' is no limit; there are p99=20ms (any percentile), max=1s, mean=5ms, "
                + "errors=0.1%, errors=3, rate=1000 and METHOD:p99=20ms")
    }

    /// Returns whether it is one of this method, by its full name.
    func isOf(method full: String) -> Bool {
        method.map { full == $0 || full.hasSuffix(".\($0)") } ?? false
    }

    /// The calls that a load needs for a verdict: five beyond the percentile.
    var neededCalls: Int {
        guard case .percentile(let percent, _) = value, percent < 100 else { return 100 }
        return Int(min(5 / (1 - percent / 100), 1e9).rounded(.up))
    }

    /// Returns whether a load has met the limit; no: it has no such method.
    func outcome(of report: LoadReport) -> Outcome {
        let calls =
            method == nil ? report.total : report.methods.first { isOf(method: $0.method) }
        guard let calls else { return Outcome(limit: text, value: "no such method", isMet: false) }
        func latency(_ milliseconds: Double, _ most: Double) -> Outcome {
            // Nothing is known of a load without calls.
            Outcome(
                limit: text, value: "\(LoadNumber.text(milliseconds, 2)) ms",
                isMet: milliseconds <= most && calls.calls > 0)
        }
        switch value {
        case .percentile(let percent, let most):
            return latency(calls.latencies.percentile(percent), most)
        case .mean(let most): return latency(calls.latencies.mean, most)
        case .errorShare(let most):
            return Outcome(
                limit: text, value: "\(LoadNumber.text(calls.errorShare * 100, 3)) %",
                isMet: calls.errorShare <= most && calls.calls > 0)
        case .errors(let most):
            return Outcome(
                limit: text, value: "\(calls.failed)",
                isMet: calls.failed <= most && calls.calls > 0)
        case .rate(let least):
            return Outcome(
                limit: text, value: "\(LoadNumber.text(calls.callsPerSecond, 1)) calls/s",
                isMet: calls.callsPerSecond >= least)
        }
    }
}
