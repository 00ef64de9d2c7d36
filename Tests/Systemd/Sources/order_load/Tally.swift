import OrderProtos

/// The outcomes of the calls of one client, or of several.
struct Tally: Sendable {
    private(set) var calls = 0
    private(set) var acknowledged: [(key: String, id: String)] = []
    private(set) var failures: [String: Int] = [:]
    private var microseconds: [UInt32] = []

    mutating func ended(_ key: String, _ response: MakeOrderResponse, after time: Duration) {
        if response.retCode == 0, !response.orderID.isEmpty {
            count(time)
            acknowledged.append((key, response.orderID))
        } else {
            failed("ret_code \(response.retCode): \(response.resInfo)", after: time)
        }
    }

    mutating func failed(_ reason: String, after time: Duration) {
        count(time)
        failures[reason, default: 0] += 1
    }

    private mutating func count(_ time: Duration) {
        calls += 1
        microseconds.append(UInt32(clamping: Int64(time / .microseconds(1))))
    }

    mutating func add(_ other: Tally) {
        calls += other.calls
        acknowledged += other.acknowledged
        failures.merge(other.failures) { $0 + $1 }
        microseconds += other.microseconds
    }

    /// `calls=… acknowledged=… failed=… per_second=… p50_ms=… p99_ms=… max_ms=…`
    func figures(seconds: Double) -> String {
        let sorted = microseconds.sorted()
        func quantile(_ share: Double) -> String {
            guard !sorted.isEmpty else { return "-" }
            let index = min(sorted.count - 1, Int(Double(sorted.count) * share))
            return String((Double(sorted[index]) / 10).rounded() / 100)
        }
        let failed = failures.values.reduce(0, +)
        let rate = Int((Double(calls) / max(seconds, 0.001)).rounded())
        return "calls=\(calls) acknowledged=\(acknowledged.count) failed=\(failed) "
            + "per_second=\(rate) p50_ms=\(quantile(0.5)) p99_ms=\(quantile(0.99)) "
            + "max_ms=\(quantile(1))"
    }
}
