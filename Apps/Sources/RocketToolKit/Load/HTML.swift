/// Parts of pages.
enum HTML {
    /// The number of colours of lines.
    static let colours = 8

    /// Text for an element or an attribute.
    static func text(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            // No page may contain them.
            case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value): result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A table; the first column of each row is its head.
    ///
    /// - Parameters:
    ///   - numbersFrom: the first column of numbers.
    ///   - textFrom: the first column of text behind them.
    static func table(
        _ head: [String], _ rows: [[String]], numbersFrom: Int = 1, textFrom: Int = .max
    ) -> String {
        func cells(_ row: [String], _ isHead: Bool) -> String {
            row.enumerated().map { column, cell in
                let tag = isHead || column == 0 ? "th" : "td"
                let scope = tag == "th" ? " scope=\"\(isHead ? "col" : "row")\"" : ""
                let isNumber = column >= numbersFrom && column < textFrom
                let style = isNumber ? " class=\"number\"" : ""
                return "<\(tag)\(scope)\(style)>\(text(cell))</\(tag)>"
            }.joined()
        }
        return """
            <div class="scroll" tabindex="0"><table>
            <thead><tr>\(cells(head, true))</tr></thead>
            <tbody>
            \(rows.map { "<tr>\(cells($0, false))</tr>" }.joined(separator: "\n"))
            </tbody></table></div>

            """
    }

    /// A chart with its heading and the names of its lines.
    static func figure(_ chart: SVGChart) -> String {
        let names = chart.series.enumerated().map { index, series in
            "<li><span class=\"swatch b\(index % colours)\"></span>\(text(series.name))</li>"
        }
        return """
            <h2>\(text(chart.title))</h2>
            <figure><ul class="legend">\(names.joined())</ul>
            <div class="scroll" tabindex="0">\(chart.svg)</div></figure>

            """
    }

    /// What became of a limit, as a card.
    static func card(_ limit: LoadLimit.Outcome) -> String {
        """
        <li><b class="\(limit.isMet ? "good" : "bad")">\(limit.isMet ? "met" : "missed")</b>\
        <span>\(text(limit.limit)): \(text(limit.value))</span></li>
        """
    }

    /// A page that needs no other file and no script.
    static func page(_ title: String, _ body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(text(title))</title>
        <link rel="icon" href="data:,">
        <style>\(style)</style>
        </head>
        <body>
        <main>
        \(body)</main>
        </body>
        </html>

        """
    }

    private static let light = [
        "#1f5fc4", "#b3430b", "#18794e", "#8a3ab9", "#a1264f", "#0b7285", "#6b5b00", "#555b66",
    ]
    private static let dark = [
        "#7db0ff", "#ff9f66", "#5fd39a", "#d39bff", "#ff8fb1", "#5ccfe6", "#e0cc4f", "#b4bcc8",
    ]

    private static func lines(_ colours: [String]) -> String {
        colours.enumerated().map { index, colour in
            ".line.s\(index){stroke:\(colour)}.mark.s\(index),.b\(index){fill:\(colour);"
                + "background:\(colour)}"
        }.joined()
    }

    private static let style = """
        :root{--back:#fff;--front:#1b1f27;--dim:#565d69;--edge:#d9dde4;--card:#f5f6f8;\
        --good:#18794e;--bad:#b42318}
        \(lines(light))
        @media(prefers-color-scheme:dark){:root{--back:#14171c;--front:#e8eaee;--dim:#a3acba;\
        --edge:#343a45;--card:#1c2027;--good:#5fd39a;--bad:#ff8a80}
        \(lines(dark))}
        *{box-sizing:border-box}
        body{margin:0;background:var(--back);color:var(--front);\
        font:16px/1.5 system-ui,sans-serif}
        main{max-width:66rem;margin:0 auto;padding:1.5rem 1rem}
        h1{font-size:1.4rem;margin:0 0 .25rem;overflow-wrap:anywhere}
        h2{font-size:1.05rem;margin:2rem 0 .5rem}
        p{margin:.25rem 0;color:var(--dim);overflow-wrap:anywhere}
        .cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;\
        margin:1.25rem 0;padding:0;list-style:none}
        .cards li{background:var(--card);border:1px solid var(--edge);border-radius:.5rem;\
        padding:.6rem .8rem}
        .cards b{display:block;font-size:1.25rem;font-variant-numeric:tabular-nums}
        .cards span{color:var(--dim);font-size:.85rem}
        .scroll{overflow-x:auto}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9rem}
        th,td{padding:.35rem .5rem;border-bottom:1px solid var(--edge);text-align:left;\
        white-space:nowrap}
        thead th{color:var(--dim);font-weight:600}
        .number{text-align:right}
        figure{margin:0}
        svg{display:block;width:100%;min-width:40rem;height:auto}
        svg text{fill:var(--dim);font-size:13px}
        svg .row{text-anchor:end;dominant-baseline:middle}
        svg .column{text-anchor:middle}
        .grid{stroke:var(--edge)}
        .line{fill:none;stroke-width:2;stroke-linejoin:round}
        .legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0 0 .25rem;padding:0;\
        list-style:none;font-size:.9rem}
        .swatch{display:inline-block;width:.8rem;height:.8rem;border-radius:.2rem;margin-right:.4rem}
        .good{color:var(--good)}
        .bad{color:var(--bad)}
        """
}
