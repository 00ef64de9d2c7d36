extension PrometheusText.Format {
    /// Chooses by the header Accept of a request (RFC 9110): OpenMetrics for who prefers it to plain
    /// text, or wants both alike, and names it; Prometheus' own format for all others, such as curl.
    init(accept: String?) {
        var (openMetrics, plain) = (0.0, 0.0)
        for range in (accept ?? "").split(separator: ",") {
            let parts = range.split(separator: ";").map { part in
                part.filter { !$0.isWhitespace }.lowercased()
            }
            var (quality, version) = (1.0, "")
            for part in parts.dropFirst() {
                if part.hasPrefix("q=") { quality = Self.quality(part.dropFirst(2)) }
                if part.hasPrefix("version=") { version = String(part.dropFirst(8)) }
            }
            switch parts.first {
            case "application/openmetrics-text" where ["", "1.0.0"].contains(version):
                openMetrics = max(openMetrics, quality)
            case "text/plain" where ["", "0.0.4"].contains(version): plain = max(plain, quality)
            case "text/*", "*/*": plain = max(plain, quality)
            default: break
            }
        }
        self = openMetrics > 0 && openMetrics >= plain ? .openMetrics : .prometheus
    }

    /// 0 to 1; 0 for what is no number.
    private static func quality(_ text: Substring) -> Double {
        guard let number = Double(text), number >= 0, number <= 1 else { return 0 }
        return number
    }
}
