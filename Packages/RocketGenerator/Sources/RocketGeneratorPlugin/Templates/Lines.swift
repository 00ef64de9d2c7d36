/// Lines of code or text, without line feeds.
package typealias Lines = [String]

extension [String] {
    /// The lines of a text, such as a multi-line literal.
    package init(text: String) {
        self = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// The lines, indented by four columns; empty lines stay empty.
    package var indented: Lines { indented(by: 4) }

    /// Returns the lines, indented by `columns`; empty lines stay empty.
    package func indented(by columns: Int) -> Lines {
        let spaces = String(repeating: " ", count: columns)
        return map { $0.isEmpty ? "" : spaces + $0 }
    }

    /// Returns the blocks with an empty line between them; empty blocks are skipped.
    package static func joined(_ blocks: [Lines]) -> Lines {
        Lines(blocks.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    /// The lines as the text of a file, with a line feed after each.
    package var text: String { map { "\($0)\n" }.joined() }
}

/// Layout of constructs that are written on one line if they fit, as swift-format does.
package enum Layout {
    /// Longest line of generated code.
    package static let columns = 100

    /// Whether `code` fits on one line at `depth` levels of indentation.
    package static func fits(_ code: String, depth: Int) -> Bool {
        code.count <= columns - depth * 4
    }

    /// Returns the items, separated by commas: on one line, or on one line each.
    package static func items(_ items: [String], depth: Int, end: String = "") -> Lines {
        let joined = items.joined(separator: ", ") + end
        if fits(joined, depth: depth) { return [joined] }
        return items.dropLast().map { "\($0)," } + items.suffix(1).map { $0 + end }
    }

    /// Returns `head(items)tail`: on one line, or with all items on a second line, or with one item
    /// per line.
    ///
    /// - Parameters:
    ///   - depth: levels of indentation that will be added to the code.
    ///   - closing: whether the closing parenthesis of the long form has its own line, as in
    ///     declarations; that of a call follows the last argument.
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

/// Comments of generated declarations.
package enum DocComment {
    /// Returns the lines as a `///` comment.
    package static func lines(_ text: [String]) -> Lines {
        text.map { $0.isEmpty ? "///" : "/// \($0)" }
    }

    /// Returns the comment of the .proto file, or `fallback` if it is empty, followed by a note for
    /// deprecated declarations.
    package static func lines(_ comment: [String], or fallback: String, isDeprecated: Bool) -> Lines
    {
        let text = comment.isEmpty ? [fallback] : comment
        return lines(isDeprecated ? text + ["", "Deprecated in the .proto file."] : text)
    }

    /// Returns the `@available` attribute of a deprecated declaration. Only client code has it: a
    /// server must implement a deprecated method as long as it has callers.
    package static func deprecation(of fullName: String, isDeprecated: Bool) -> Lines {
        guard isDeprecated else { return [] }
        return ["@available(*, deprecated, message: \"\(fullName) is deprecated in its .proto\")"]
    }
}
