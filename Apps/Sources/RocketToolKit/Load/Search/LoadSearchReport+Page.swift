extension LoadSearchReport {
    /// The report as a page: the result, the latencies over the rate, the steps.
    var html: String {
        let sorted = steps.sorted { $0.rate < $1.rate }
        var body = """
            <h1>Highest rate of \(HTML.text(setup.title))</h1>
            <p>\(HTML.text("\(setup.wire), \(setup.text), \(stepLimits.joined(separator: ", "))"))\
            \(interrupted ? ", <span class=\"bad\">interrupted</span>" : "")</p>
            <p>Begun \(HTML.text(setup.began)), seed \(setup.seed); steps of \
            \(LoadNumber.text(stepSeconds, 1)) s, \(LoadNumber.text(warmUpSeconds, 1)) s of them \
            warm-up</p>
            <ul class="cards"><li><b>\(rate.map { LoadNumber.rate($0) } ?? "none")</b>\
            <span>calls/s</span></li>
            """
        for limit in limits {
            body += HTML.card(limit)
        }
        body += "</ul>\n<p>\(HTML.text(summary))</p>\n"
        if sorted.count > 1 { body += HTML.figure(curve(sorted)) }
        body += "<h2>Steps</h2>\n"
        body += HTML.table(Self.head, sorted.map(\.cells), numbersFrom: 0, textFrom: 8)
        if let best {
            body += HTML.figure(.latencyCurve([("the highest rate", best.total.latencies)]))
        }
        return HTML.page("Highest rate of \(setup.title)", body)
    }

    /// Latencies over the rate. What is higher than twice a limit is cut, or the rest would be flat.
    private func curve(_ steps: [Step]) -> SVGChart {
        let limit = stepLimits.compactMap { text -> Double? in
            guard let limit = try? LoadLimit(text), limit.method == nil,
                case .percentile(99, let milliseconds) = limit.value
            else { return nil }
            return milliseconds
        }.min()
        let highest = limit.map { $0 * 2 } ?? .infinity
        let end = max(steps.map(\.rate).max() ?? 0, 1e-9)
        func series(_ name: String, _ value: (Step) -> Double) -> SVGChart.Series {
            SVGChart.Series(
                name: name, points: steps.map { ($0.rate / end, min(highest, value($0))) },
                marks: steps.map { step in
                    let ms = LoadNumber.milliseconds(value(step))
                    return (
                        step.rate / end, min(highest, value(step)),
                        "\(LoadNumber.rate(step.rate)) calls/s: \(name) \(ms) ms, \(step.text)"
                    )
                })
        }
        var lines = [series("p99") { $0.p99Ms }, series("p50") { $0.p50Ms }]
        if let limit {
            lines.append(.init(name: "limit of p99", points: [(0, limit), (1, limit)]))
        }
        return SVGChart(
            title: "Latency over rate, calls/s",
            unit: limit == nil ? "ms" : "ms, cut at twice the limit", series: lines,
            columns: (0...4).map { part in
                (Double(part) / 4, LoadNumber.text(end * Double(part) / 4, 0))
            })
    }
}
