/// Lines of code or text, without their line ends.
typealias Lines = [String]

extension [String] {
    /// The same lines four columns further right; empty ones stay empty.
    var indented: Lines { map { $0.isEmpty ? "" : "    \($0)" } }

    /// The blocks one after the other with an empty line between them; empty blocks leave none.
    static func joined(_ blocks: [Lines]) -> Lines {
        Lines(blocks.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    /// The whole as a file's text.
    var text: String { map { "\($0)\n" }.joined() }
}

/// Code of one construct that stands on one line where that is short enough.
enum Layout {
    /// The house's line length.
    static let columns = 100

    /// `head(items) tail`: on one line, or with the items on a line of their own, or with a line
    /// for each.
    ///
    /// - Parameters:
    ///   - depth: how many levels the code will be indented later on.
    ///   - closing: whether the closing bracket of the long form has a line of its own, as in
    ///     declarations; a call's bracket follows its last argument.
    static func list(
        _ head: String, _ items: [String], _ tail: String = "", depth: Int,
        closingOnOwnLine closing: Bool
    ) -> Lines {
        let width = columns - depth * 4
        let joined = items.joined(separator: ", ")
        let short = "\(head)(\(joined))\(tail)"
        if short.count <= width { return [short] }
        let end = closing ? "" : ")\(tail)"
        let body =
            4 + joined.count + end.count <= width
            ? [joined] : items.dropLast().map { "\($0)," } + items.suffix(1)
        var lines = ["\(head)("] + body.indented
        if closing {
            lines.append(")\(tail)")
        } else {
            lines[lines.count - 1] += end
        }
        return lines
    }
}
