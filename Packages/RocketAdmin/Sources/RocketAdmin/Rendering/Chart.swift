/// Small drawings in SVG, without styles of their own: the rules for the page's contents forbid those.
enum Chart {
    /// A line of the last values, with the area below it; the newest is at the right. Missing values
    /// interrupt it. Described by `label` for those who don't see it.
    ///
    /// - Parameter capacity: the number of values that fill the width.
    static func sparkline(_ values: [Double?], capacity: Int, label: String) -> HTML {
        let (width, height) = (Double(max(2, capacity) - 1), 40.0)
        let top = max(values.compactMap(\.self).max() ?? 0, .leastNonzeroMagnitude)
        let start = width - Double(max(0, values.count - 1))
        var runs: [[(x: Double, y: Double)]] = [[]]
        for (index, value) in values.enumerated() {
            guard let value else {
                if runs.last?.isEmpty == false { runs.append([]) }
                continue
            }
            let point = (start + Double(index), height - 1 - value / top * (height - 4))
            runs[runs.count - 1].append(point)
        }
        let shapes = runs.filter { $0.count > 1 }.map { run -> HTML in
            let line = run.map { "\(short($0.x)),\(short($0.y))" }.joined(separator: " ")
            let (first, last) = (short(run[0].x), short(run[run.count - 1].x))
            return """
                <polygon class="area" points="\(first),\(short(height)) \(line) \
                \(last),\(short(height))"/><polyline class="line" points="\(line)"/>
                """
        }
        return """
            <svg class="spark" viewBox="0 0 \(short(width)) \(short(height))" \
            preserveAspectRatio="none" role="img" aria-label="\(label)">\(shapes)</svg>
            """
    }

    /// A bar of a share of one, with its number.
    static func share(_ share: Double) -> HTML {
        let tone = share >= 0.9 ? "bad" : share >= 0.7 ? "warning" : "good"
        return bar(share, tone: tone)
    }

    /// A bar and its number, below the bars and numbers of other rows.
    static func bar(_ share: Double, tone: String) -> HTML {
        "\(meter(share, tone: tone))<span class=\"share\">\(Quantity.percent(share))</span>"
    }

    static func meter(_ share: Double, tone: String) -> HTML {
        let width = short(share.isFinite ? min(1, max(0, share)) * 48 : 0)
        return """
            <svg class="meter" viewBox="0 0 48 6" width="48" height="6" aria-hidden="true">\
            <rect class="track" width="48" height="6" rx="3"/>\
            <rect class="fill \(tone)" width="\(width)" height="6" rx="3"/></svg>
            """
    }

    /// The stages of a call, one behind the other.
    static func stages(_ stages: [Table.Stage]) -> HTML {
        var start = 0.0
        let parts = stages.map { stage -> HTML in
            let width = min(1 - start, max(0, stage.share.isFinite ? stage.share : 0)) * 120
            defer { start += width / 120 }
            return """
                <rect class="\(stage.name)" x="\(short(start * 120))" width="\(short(width))" \
                height="10"><title>\(stage.name) \(Quantity.percent(stage.share))</title></rect>
                """
        }
        let label = stages.map { "\($0.name) \(Quantity.percent($0.share))" }.joined(
            separator: ", ")
        return """
            <svg class="stages" viewBox="0 0 120 10" width="120" height="10" role="img" \
            aria-label="\(label)"><rect class="track" width="120" height="10"/>\(parts)</svg>
            """
    }

    /// The colours of stages with their names.
    static func legend(_ names: [String]) -> HTML {
        let items = names.map { name -> HTML in
            """
            <span><svg width="10" height="10" aria-hidden="true"><rect class="\(name)" width="10" \
            height="10" rx="2"/></svg>\(name)</span>
            """
        }
        return "<p class=\"legend\">\(items)</p>"
    }

    /// At most one decimal.
    private static func short(_ value: Double) -> String {
        let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
        if tenths % 10 == 0 { return String(tenths / 10) }
        let sign = tenths < 0 ? "-" : ""
        return "\(sign)\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}
