/// Lines of code or text, without their line ends.
package typealias Lines = [String]

extension [String] {
    /// The same lines four columns further right; empty ones stay empty.
    package var indented: Lines { map { $0.isEmpty ? "" : "    \($0)" } }

    /// The blocks one after the other with an empty line between them; empty blocks leave none.
    package static func joined(_ blocks: [Lines]) -> Lines {
        Lines(blocks.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    /// The whole as a file's text.
    package var text: String { map { "\($0)\n" }.joined() }
}

/// Code of one construct that stands on one line where that is short enough.
package enum Layout {
    /// The house's line length.
    package static let columns = 100

    /// Whether code fits into a line at `depth` levels of indentation.
    package static func fits(_ code: String, depth: Int) -> Bool {
        code.count <= columns - depth * 4
    }

    /// Items with commas between them, on one line or with a line for each.
    package static func items(_ items: [String], depth: Int, end: String = "") -> Lines {
        let joined = items.joined(separator: ", ") + end
        if fits(joined, depth: depth) { return [joined] }
        return items.dropLast().map { "\($0)," } + items.suffix(1).map { $0 + end }
    }

    /// `head(items)tail`: on one line, or with the items on a line of their own, or with a line
    /// for each.
    ///
    /// - Parameters:
    ///   - depth: how many levels the code will be indented later on.
    ///   - closing: whether the closing bracket of the long form has a line of its own, as in
    ///     declarations; a call's bracket follows its last argument.
    package static func list(
        _ head: String, _ items: [String], _ tail: String = "", depth: Int,
        closingOnOwnLine closing: Bool
    ) -> Lines {
        let short = "\(head)(\(items.joined(separator: ", ")))\(tail)"
        if fits(short, depth: depth) { return [short] }
        let end = ")\(tail)"
        let body = Self.items(items, depth: depth + 1, end: closing ? "" : end)
        return ["\(head)("] + body.indented + (closing ? [end] : [])
    }
}
