import RocketRPC
import RocketSystem

/// Metrics in one of the text formats that Prometheus reads. A value: families are written one after
/// another, each with its samples.
struct PrometheusText {
    private(set) var text = ""
    let format: Format
    /// The names of families that were written in OpenMetrics, which must differ.
    private var names: Set<String> = []

    /// A format of the answer.
    enum Format: Hashable, Sendable {
        /// Prometheus' own, version 0.0.4.
        case prometheus
        /// OpenMetrics 1.0.0, which has exemplars.
        case openMetrics

        /// The type of the answer.
        var contentType: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    init(_ format: Format = .prometheus) { self.format = format }

    /// Writes HELP and TYPE of a family, then its samples.
    mutating func write(_ family: MetricFamily, _ samples: (inout Samples) -> Void) {
        var collected = Samples(family: family, format: format)
        samples(&collected)
        if collected.text.isEmpty { return }
        switch format {
        case .prometheus:
            text += "# HELP \(family.name) \(Self.escapedHelp(family.help))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
        case .openMetrics: writeHead(family)
        }
        text += collected.text
    }

    /// The name of a counter is that of its samples without `_total`; where another family has that, as
    /// a gauge `orders` beside a counter `orders_total`, it is a family of unknown type.
    private mutating func writeHead(_ family: MetricFamily) {
        var (name, type) = (family.name, family.kind.rawValue)
        if family.kind == .counter {
            if name.hasSuffix("_total") { name.removeLast("_total".count) }
            if names.contains(name) { (name, type) = (family.name, "unknown") }
        }
        names.insert(name)
        text += "# TYPE \(name) \(type)\n"
        for unit in ["seconds", "bytes"] where name.hasSuffix("_\(unit)") {
            text += "# UNIT \(name) \(unit)\n"
        }
        let help = Self.escapedLabel(family.help)
        text += "# HELP \(name) \(help)\n"
    }

    /// Ends the text.
    mutating func end() { if format == .openMetrics { text += "# EOF\n" } }

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
        fileprivate let format: Format
        fileprivate var text = ""

        fileprivate init(family: MetricFamily, format: Format) {
            self.family = family
            self.format = format
        }

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

        /// - Parameters:
        ///   - bounds: with cumulative counts.
        ///   - exemplars: one for each bound and one more, in OpenMetrics; empty: none.
        mutating func addHistogram(
            bounds: [(text: String, count: Int)], count: Int, sum: Double,
            exemplars: [RPCServerSnapshot.Exemplar?] = [], _ labels: String...
        ) {
            addHistogram(
                bounds: bounds, count: count, sum: sum, exemplars: exemplars, pairs: pairs(labels))
        }

        /// - Parameter pairs: the labels of this sample, whatever the family's are.
        mutating func addHistogram(
            bounds: [(text: String, count: Int)], count: Int, sum: Double,
            exemplars: [RPCServerSnapshot.Exemplar?] = [], pairs: [Pair]
        ) {
            for (index, bound) in (bounds + [("+Inf", count)]).enumerated() {
                text += "\(family.name)_bucket"
                writeLabels(pairs + [("le", text(ofBound: bound.text))])
                text += " \(bound.count)"
                if format == .openMetrics, index < exemplars.count, let exemplar = exemplars[index]
                {
                    write(exemplar)
                }
                text += "\n"
            }
            text += "\(family.name)_sum"
            writeLabels(pairs)
            text += " \(PrometheusText.number(sum))\n"
            text += "\(family.name)_count"
            writeLabels(pairs)
            text += " \(count)\n"
        }

        /// OpenMetrics wants a fraction in any case: `1.0`.
        private func text(ofBound bound: String) -> String {
            let isWhole = bound.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
            return format == .openMetrics && isWhole ? bound + ".0" : bound
        }

        private mutating func write(_ exemplar: RPCServerSnapshot.Exemplar) {
            // Whole milliseconds, as Prometheus keeps them.
            let time = exemplar.time.nanoseconds / 1_000_000
            let fraction = String(time % 1000 + 1000).dropFirst()
            text += " # {trace_id=\"\(PrometheusText.escapedLabel(exemplar.traceID))\""
            text += ",span_id=\"\(PrometheusText.escapedLabel(exemplar.spanID))\"} "
            text += "\(PrometheusText.number(exemplar.duration.seconds)) \(time / 1000).\(fraction)"
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
