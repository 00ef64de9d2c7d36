/// Numbers as texts, without Foundation.
enum LoadNumber {
    /// Returns the number with that many digits after the point, 0 to 6.
    static func text(_ value: Double, _ digits: Int) -> String {
        let unit = (0..<digits).reduce(Int64(1)) { unit, _ in unit * 10 }
        let scaled = (value * Double(unit)).rounded()
        guard scaled.magnitude < 9e18 else { return value.isFinite ? "\(value)" : "0" }
        let (whole, rest) = Int64(scaled).quotientAndRemainder(dividingBy: unit)
        if digits == 0 { return "\(whole)" }
        let sign = scaled < 0 && whole == 0 ? "-" : ""
        return "\(sign)\(whole).\("\(unit + Int64(rest.magnitude))".dropFirst())"
    }

    /// Returns milliseconds with three significant digits or more.
    static func milliseconds(_ value: Double) -> String {
        text(value, value < 10 ? 3 : value < 1000 ? 2 : 0)
    }
}

/// Lines of columns. A value.
struct TextTable {
    /// The columns that are left-aligned.
    var left: Set = [0]
    private var rows: [[String]] = []

    init(left: Set<Int> = [0]) { self.left = left }

    /// Adds a line.
    mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The lines, with two spaces between columns.
    var lines: [String] {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let space = String(repeating: " ", count: widths[column] - cell.count)
                if column > 0 { line += "  " }
                line += left.contains(column) ? cell + space : space + cell
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
