/// Metrics in Prometheus' text format, version 0.0.4. A value: families are written one after another,
/// each with its samples.
struct PrometheusText {
    private(set) var text = ""

    /// The type of the answer.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Writes HELP and TYPE of a family, then its samples.
    mutating func write(_ family: MetricFamily, _ samples: (inout Samples) -> Void) {
        var collected = Samples(family: family)
        samples(&collected)
        if collected.text.isEmpty { return }
        text += "# HELP \(family.name) \(Self.escapedHelp(family.help))\n"
        text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
        text += collected.text
    }

    /// A family of one sample without labels.
    mutating func write(_ family: MetricFamily, _ value: Double?) {
        write(family) { if let value { $0.add(value) } }
    }

    mutating func write(_ family: MetricFamily, _ value: Int?) {
        write(family, value.map { Double($0) })
    }

    /// The samples of one family.
    struct Samples {
        fileprivate let family: MetricFamily
        fileprivate var text = ""

        fileprivate init(family: MetricFamily) { self.family = family }

        /// - Parameter labels: the values of the family's labels, in their order.
        mutating func add(_ value: Double, _ labels: String...) { add(value, labels: labels) }
        mutating func add(_ value: Int, _ labels: String...) { add(Double(value), labels: labels) }
        mutating func add(_ value: UInt64, _ labels: String...) {
            add(Double(value), labels: labels)
        }

        private mutating func add(_ value: Double, labels: [String]) {
            add(value, pairs: pairs(labels))
        }

        /// - Parameter pairs: the labels of this sample, whatever the family's are.
        mutating func add(_ value: Double, pairs: [Pair]) {
            text += family.name
            writeLabels(pairs)
            text += " \(PrometheusText.number(value))\n"
        }

        /// - Parameter counts: cumulative, one for each bound.
        mutating func addHistogram(
            bounds: [(text: String, count: Int)], count: Int, sum: Double, _ labels: String...
        ) {
            addHistogram(bounds: bounds, count: count, sum: sum, pairs: pairs(labels))
        }

        /// - Parameter pairs: the labels of this sample, whatever the family's are.
        mutating func addHistogram(
            bounds: [(text: String, count: Int)], count: Int, sum: Double, pairs: [Pair]
        ) {
            for bound in bounds + [("+Inf", count)] {
                text += "\(family.name)_bucket"
                writeLabels(pairs + [("le", bound.text)])
                text += " \(bound.count)\n"
            }
            text += "\(family.name)_sum"
            writeLabels(pairs)
            text += " \(PrometheusText.number(sum))\n"
            text += "\(family.name)_count"
            writeLabels(pairs)
            text += " \(count)\n"
        }

        typealias Pair = (name: String, value: String)

        private func pairs(_ values: [String]) -> [Pair] {
            zip(family.labels, values).map { (name: $0, value: $1) }
        }

        private mutating func writeLabels(_ pairs: [Pair]) {
            if pairs.isEmpty { return }
            let texts = pairs.map { "\($0.name)=\"\(PrometheusText.escapedLabel($0.value))\"" }
            text += "{\(texts.joined(separator: ","))}"
        }
    }

    /// A whole number without a fraction: `12`, `0.25`, `+Inf`.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: value), abs(whole) < 1 << 53 { return String(whole) }
        return "\(value)"
    }

    static func escapedLabel(_ text: String) -> String {
        escaped(text, ["\\": "\\\\", "\"": "\\\"", "\n": "\\n"])
    }

    static func escapedHelp(_ text: String) -> String {
        escaped(text, ["\\": "\\\\", "\n": "\\n"])
    }

    private static func escaped(_ text: String, _ escapes: [Unicode.Scalar: String]) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if let escape = escapes[scalar] {
                result += escape
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
