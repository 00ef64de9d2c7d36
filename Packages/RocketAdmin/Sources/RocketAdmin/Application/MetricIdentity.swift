/// An application's metric as Prometheus wants it: what a label and dimensions of swift-metrics become.
/// A value.
struct MetricIdentity: Hashable, Sendable {
    let name: String
    /// Sorted by name.
    let labels: [Label]

    struct Label: Hashable, Sendable {
        let name: String
        let value: String
    }

    /// Names that belong to `/metrics` itself. `rocket_rpc_` belongs to RocketRPCMetrics.
    static func isReserved(_ name: String) -> Bool {
        name.hasPrefix("process_") || name.hasPrefix("rocket_") && !name.hasPrefix("rocket_rpc_")
    }

    /// - Parameter suffix: what the name ends with, `_total` or `_seconds`; appended if it does not.
    /// - Throws: `MetricRefusal`, for a name or labels that are beyond the limits.
    init(
        _ label: String, suffix: String, _ dimensions: [(String, String)], limits: MetricsLimits
    ) throws(MetricRefusal) {
        // Measured first: a long text is not copied.
        guard !label.isEmpty, label.utf8.count <= limits.nameBytes else { throw .name }
        let sanitized = Self.sanitized(label)
        name = sanitized.hasSuffix(suffix) ? sanitized : sanitized + suffix
        if Self.isReserved(name) { throw .name }

        guard dimensions.count <= limits.labels else { throw .labels }
        var labels: [Label] = []
        for (name, value) in dimensions {
            guard !name.isEmpty, name.utf8.count <= limits.nameBytes,
                value.utf8.count <= limits.valueBytes
            else { throw .labels }
            labels.append(Label(name: Self.sanitizedLabel(name), value: value))
        }
        labels.sort { $0.name < $1.name }
        for (label, next) in zip(labels, labels.dropFirst()) where label.name == next.name {
            throw .labels
        }
        self.labels = labels
    }

    /// Letters, digits and `_` of ASCII, not a digit first; each other character becomes `_`.
    static func sanitized(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_": result.unicodeScalars.append(scalar)
            case "0"..."9":
                if result.isEmpty { result = "_" }
                result.unicodeScalars.append(scalar)
            default: result += "_"
            }
        }
        return result
    }

    /// As `sanitized`. Prometheus has `le` and `quantile` for its own use, and names that begin with `__`.
    private static func sanitizedLabel(_ text: String) -> String {
        let name = sanitized(text)
        if name == "le" || name == "quantile" { return name + "_" }
        return name.hasPrefix("__") ? "label" + name : name
    }
}
