/// A chart of lines as SVG, without a script: its colours and fonts are those of the page's style. A
/// value.
struct SVGChart {
    struct Series {
        let name: String
        /// `x` from 0 to 1, `y` in the unit of the chart, from 0 on.
        let points: [(x: Double, y: Double)]
        /// Marks with a text that browsers show at the pointer.
        var marks: [(x: Double, y: Double, text: String)] = []
    }

    /// What it shows, for those who can't see it.
    let title: String
    let unit: String
    let series: [Series]
    /// Positions from 0 to 1, and what is written there.
    let columns: [(x: Double, label: String)]

    private static let (width, height) = (720.0, 300.0)
    private static let (left, right, top, bottom) = (64.0, 32.0, 24.0, 32.0)

    /// The lines of the y axis: from 0 to the first that is not below the highest value.
    var rows: [Double] {
        let highest = series.flatMap(\.points).reduce(0) { max($0, $1.y) }
        guard highest > 0, highest.isFinite else { return [0, 1] }
        var step = 1.0
        while step * 5 < highest { step *= 10 }
        while step * 0.5 > highest { step /= 10 }
        if step * 0.5 * 5 >= highest { step *= 0.5 }
        if step * 0.4 * 5 >= highest { step *= 0.4 }
        var rows = [0.0]
        while rows[rows.count - 1] < highest { rows.append(Double(rows.count) * step) }
        return rows
    }

    private func x(_ value: Double) -> Double {
        Self.left + min(1, max(0, value)) * (Self.width - Self.left - Self.right)
    }

    private func y(_ value: Double, _ highest: Double) -> Double {
        Self.height - Self.bottom - value / highest * (Self.height - Self.top - Self.bottom)
    }

    /// The element, of which many may be in one page.
    var svg: String {
        let rows = rows
        let highest = rows[rows.count - 1]
        func number(_ value: Double) -> String { LoadNumber.text(value, 1) }
        var text = """
            <svg viewBox="0 0 \(number(Self.width)) \(number(Self.height))" role="img" \
            aria-label="\(HTML.text(title))">
            <text class="unit" x="\(number(Self.left))" y="14">\(HTML.text(unit))</text>

            """
        let digits = highest >= 10 ? 0 : highest >= 1 ? 1 : highest >= 0.1 ? 2 : 3
        for row in rows {
            let at = number(y(row, highest))
            text += """
                <line class="grid" x1="\(number(Self.left))" x2="\(number(Self.width - Self.right))" \
                y1="\(at)" y2="\(at)"/>
                <text class="row" x="\(number(Self.left - 8))" y="\(at)">\
                \(LoadNumber.text(row, digits))</text>

                """
        }
        for (position, label) in columns {
            text += """
                <text class="column" x="\(number(x(position)))" y="\(number(Self.height - 10))">\
                \(HTML.text(label))</text>

                """
        }
        for (index, series) in series.enumerated() {
            let points = series.points.map { "\(number(x($0.x))),\(number(y($0.y, highest)))" }
            text += """
                <polyline class="line s\(index % HTML.colours)" \
                points="\(points.joined(separator: " "))"/>

                """
            for mark in series.marks {
                text += """
                    <circle class="mark s\(index % HTML.colours)" r="4" cx="\(number(x(mark.x)))" \
                    cy="\(number(y(mark.y, highest)))"><title>\(HTML.text(mark.text))</title></circle>

                    """
            }
        }
        return text + "</svg>\n"
    }
}

extension SVGChart {
    /// The lowest share of calls beyond the last percentile of a curve: one in a million.
    private static let decades = 6.0

    /// Where a percentile is on the axis of a latency curve, which gives each further nine the same
    /// space, as HdrHistogram's plots do.
    static func position(ofPercent percent: Double) -> Double {
        let beyond = 1 - min(100, max(0, percent)) / 100
        // log10 without a library of C: the steps are few.
        return min(1, max(0, decimalLogarithm(1 / max(beyond, 1e-6)) / decades))
    }

    /// The logarithm to the base 10 of a number from 1 on, by its digits: exact to 1e-6.
    static func decimalLogarithm(_ value: Double) -> Double {
        var (rest, whole) = (max(1, value), 0.0)
        while rest >= 10 { (rest, whole) = (rest / 10, whole + 1) }
        var (fraction, weight) = (0.0, 0.5)
        for _ in 0..<20 {
            rest *= rest
            if rest >= 10 { (rest, fraction) = (rest / 10, fraction + weight) }
            weight /= 2
        }
        return whole + fraction
    }

    /// The latencies by percentile: how slow the slowest part of the calls is.
    static func latencyCurve(_ series: [(name: String, latencies: LoadLatencies)]) -> SVGChart {
        let percents = [0, 50, 90, 99, 99.9, 99.99, 99.999]
        // As far as there are calls: beyond, a curve would only repeat its highest value.
        let most = series.map { Double($0.latencies.total) }.max() ?? 0
        let shown = percents.filter { $0 < 99 || most * (100 - $0) / 100 >= 0.5 }
        let scale = position(ofPercent: min(99.9999, 100 - 100 / max(most, 2)))
        let end = max(scale, position(ofPercent: shown[shown.count - 1]))
        func place(_ percent: Double) -> Double { min(1, position(ofPercent: percent) / end) }
        return SVGChart(
            title: "Latency by percentile", unit: "ms",
            series: series.map { name, latencies in
                var points: [(x: Double, y: Double)] = [(0, latencies.min)]
                var sum = 0.0
                for (value, count) in latencies.counts {
                    sum += Double(count)
                    let x = place(sum / Double(latencies.total) * 100)
                    let y = Double(value) / 1e6
                    // Points that nobody could tell apart are left out.
                    let former = points[points.count - 1].x
                    if x - former < 0.002, x < 1 { continue }
                    // A step: all calls up to this percentile have taken that long at most.
                    points += [(former, y), (x, y)]
                }
                if latencies.total > 0 { points.append((1, latencies.max)) }
                return Series(
                    name: name, points: points,
                    marks: shown.dropFirst().filter { _ in latencies.total > 0 }.map { percent in
                        let value = latencies.percentile(percent)
                        let name = "\(name) \(LoadReport.name(of: percent))"
                        return (
                            place(percent), value, "\(name): \(LoadNumber.milliseconds(value)) ms"
                        )
                    })
            }, columns: shown.map { (place($0), $0 == 0 ? "min" : LoadReport.name(of: $0)) })
    }

    /// Values over the time of a load.
    static func course(
        _ title: String, unit: String, _ course: LoadCourse,
        _ values: [(name: String, value: (LoadCourse.Point) -> Double)]
    ) -> SVGChart {
        let end = max(course.points.last?.second ?? 0, 1e-9)
        return SVGChart(
            title: title, unit: unit,
            series: values.map { name, value in
                Series(name: name, points: course.points.map { ($0.second / end, value($0)) })
            },
            columns: (0...4).map { part in
                (Double(part) / 4, "\(LoadNumber.text(end * Double(part) / 4, end < 4 ? 2 : 1)) s")
            })
    }
}
