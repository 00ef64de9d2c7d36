import RocketSystem

/// A table that is shown as HTML and as JSON. A value.
struct Table: Sendable {
    struct Column: Hashable, Sendable {
        /// The name in JSON and in `?sort=`.
        var key: String
        var title: String
        /// Whether it is aligned at the right, and sorted from high to low at first.
        var isNumber = true
        /// What the numbers mean.
        var help = ""

        static func text(_ key: String, _ title: String, _ help: String = "") -> Column {
            Column(key: key, title: title, isNumber: false, help: help)
        }
        static func number(_ key: String, _ title: String, _ help: String = "") -> Column {
            Column(key: key, title: title, help: help)
        }
    }

    enum Tone: String, Hashable, Sendable { case plain, good, warning, bad, quiet }

    enum Cell: Hashable, Sendable {
        /// Not known, or without meaning here.
        case missing
        case text(String)
        /// A name of the program: shown in a typeface of fixed width.
        case code(String)
        /// A code with a link; only the text is in JSON.
        case link(String, to: String)
        case state(String, Tone)
        case count(Int)
        /// A count of what should not happen: 0 is quiet, the rest is not.
        case fault(Int)
        case rate(Double)
        /// Of a capacity: much of it is bad.
        case share(Double)
        /// Of a whole: much of it is neither good nor bad.
        case portion(Double)
        case time(Duration)
        /// A time that goes on: in JSON as `time`.
        case timeSoFar(Duration)
        case bytes(UInt64)
        case moment(WallTime)
        case flag(Bool)
        /// Shares of one, drawn one behind the other.
        case bar([Stage])
    }

    /// A part of something that took time.
    struct Stage: Hashable, Sendable {
        var name: String
        var share: Double
    }

    /// The name in JSON.
    var id: String
    var columns: [Column]
    var rows: [[Cell]]
    /// What it says if there is no row.
    var empty: HTML
    /// How many rows there are that it does not have.
    var leftOut = 0

    /// Returns the rows that have the text in a text, in upper or lower case.
    func filtered(by text: String) -> Table {
        let wanted = text.lowercased()
        var table = self
        table.rows = rows.filter { $0.contains { $0.searchText.lowercased().contains(wanted) } }
        table.empty = "No row has <q>\(text)</q> in it."
        return table
    }

    /// The order of the rows: a column's key, with `-` before it from high to low.
    struct Order: Hashable, Sendable {
        var key: String
        var isDescending: Bool

        init(key: String, isDescending: Bool) {
            self.key = key
            self.isDescending = isDescending
        }

        init(_ text: String) {
            isDescending = text.hasPrefix("-")
            key = isDescending ? String(text.dropFirst()) : text
        }

        var text: String { isDescending ? "-\(key)" : key }
    }

    /// Returns the same in another order; rows that are equal in it keep theirs. An unknown column
    /// changes nothing.
    func sorted(by order: Order?) -> Table {
        guard let order, let index = columns.firstIndex(where: { $0.key == order.key }) else {
            return self
        }
        var table = self
        let keyed = rows.enumerated().map { (offset: $0.offset, row: $0.element) }
        table.rows = keyed.sorted { a, b in
            let (left, right) = (a.row[index].sortKey, b.row[index].sortKey)
            if left == right { return a.offset < b.offset }
            return order.isDescending ? right < left : left < right
        }.map(\.row)
        return table
    }

    /// An array of objects.
    var json: JSON {
        .array(
            rows.map { row in
                .object(zip(columns, row).map { JSON.Member(name: $0.key, value: $1.json) })
            })
    }
}

extension Table.Cell {
    /// Numbers before texts, unknown ones before all.
    struct SortKey: Comparable {
        var number: Double
        var text: String

        static func < (a: SortKey, b: SortKey) -> Bool { (a.number, a.text) < (b.number, b.text) }
    }

    var sortKey: SortKey {
        switch self {
        case .missing: SortKey(number: -.infinity, text: "")
        case .text(let text), .code(let text), .link(let text, _), .state(let text, _):
            SortKey(number: .infinity, text: text)
        case .count(let value), .fault(let value): SortKey(number: Double(value), text: "")
        case .rate(let value), .share(let value), .portion(let value):
            SortKey(number: value, text: "")
        case .time(let value), .timeSoFar(let value):
            SortKey(number: Double(value.wholeNanoseconds), text: "")
        case .bytes(let value): SortKey(number: Double(value), text: "")
        case .moment(let value): SortKey(number: Double(value.nanoseconds), text: "")
        case .flag(let value): SortKey(number: value ? 1 : 0, text: "")
        case .bar(let stages): SortKey(number: stages.map(\.share).max() ?? 0, text: "")
        }
    }

    fileprivate var searchText: String {
        switch self {
        case .text(let text), .code(let text), .link(let text, _), .state(let text, _): text
        default: ""
        }
    }

    /// Numbers in their basic units: seconds, bytes, shares of one.
    var json: JSON {
        switch self {
        case .missing: .null
        case .text(let text), .code(let text), .link(let text, _), .state(let text, _):
            .string(text)
        case .count(let value), .fault(let value): .integer(value)
        case .rate(let value), .share(let value), .portion(let value): .number(value)
        case .time(let value), .timeSoFar(let value):
            .number(Double(value.wholeNanoseconds) / 1e9)
        case .bytes(let value): .integer(Int(clamping: value))
        case .moment(let value): .string(Quantity.timestamp(value))
        case .flag(let value): .bool(value)
        case .bar(let stages):
            .object(stages.map { JSON.Member(name: $0.name, value: .number($0.share)) })
        }
    }

    var html: HTML {
        switch self {
        case .missing: "<span class=\"z\">–</span>"
        case .text(let text): "\(text)"
        case .code(let text): "<code>\(text)</code>"
        case .link(let text, let target): "<a href=\"\(target)\"><code>\(text)</code></a>"
        case .state(let text, let tone): "<span class=\"t \(tone.rawValue)\">\(text)</span>"
        case .count(0), .fault(0): "<span class=\"z\">0</span>"
        case .count(let value): "\(Quantity.count(value))"
        case .fault(let value): "<span class=\"bad\">\(Quantity.count(value))</span>"
        case .rate(let value):
            value == 0 ? "<span class=\"z\">0</span>" : "\(Quantity.number(value))"
        case .share(let value): Chart.share(value)
        case .portion(let value): Chart.bar(value, tone: "neutral")
        case .time(let value):
            value == .zero ? "<span class=\"z\">0</span>" : "\(Quantity.duration(value))"
        case .timeSoFar(let value):
            "<span class=\"t warning\">\(Quantity.duration(value)) so far</span>"
        case .bytes(let value):
            value == 0 ? "<span class=\"z\">0</span>" : "\(Quantity.bytes(value))"
        case .moment(let value):
            "<time datetime=\"\(Quantity.timestamp(value))\">\(Quantity.timeOfDay(value))</time>"
        case .flag(let value): value ? "yes" : "<span class=\"z\">no</span>"
        case .bar(let stages): Chart.stages(stages)
        }
    }
}

extension Table {
    /// The table in a box of its own, which scrolls where the page is narrow.
    ///
    /// - Parameters:
    ///   - target: of the links in its head, with `sort` in its query; nil: there are no links.
    ///   - order: the one that it is in.
    func html(label: String, sortedBy order: Order? = nil, at target: RequestTarget? = nil) -> HTML
    {
        if rows.isEmpty { return "<p class=\"empty\">\(empty)</p>" }
        let head = columns.map { column -> HTML in
            let isOrder = order?.key == column.key
            let sort: HTML =
                isOrder
                ? " aria-sort=\"\(order?.isDescending == true ? "descending" : "ascending")\"" : ""
            let help: HTML = column.help.isEmpty ? "" : " title=\"\(column.help)\""
            let kind: HTML = column.isNumber ? " class=\"n\"" : ""
            guard let target else {
                return "<th scope=\"col\"\(kind)\(help)>\(column.title)</th>"
            }
            var query = target.query
            let isDescending = isOrder ? order?.isDescending == false : column.isNumber
            query["sort"] = Order(key: column.key, isDescending: isDescending).text
            return """
                <th scope="col"\(kind)\(sort)\(help)><a href="\(target.path)?\(query.text)">\
                \(column.title)</a></th>
                """
        }
        let body = rows.map { row -> HTML in
            let cells = zip(columns, row).map { column, cell -> HTML in
                column.isNumber ? "<td class=\"n\">\(cell.html)</td>" : "<td>\(cell.html)</td>"
            }
            return "<tr>\(cells)</tr>\n"
        }
        let more: HTML =
            leftOut > 0
            ? "<p class=\"note\">\(Quantity.count(leftOut)) more are not shown.</p>" : ""
        return """
            <div class="scroll" role="region" aria-label="\(label)" tabindex="0"><table>
            <thead><tr>\(head)</tr></thead>
            <tbody>
            \(body)</tbody></table></div>\(more)
            """
    }
}
