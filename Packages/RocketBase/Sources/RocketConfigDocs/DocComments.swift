public import RocketBase

/// Writes the doc comments of a section's stored properties into its Swift source, so that editors
/// show the text of the documentation.
public enum DocComments {
    /// Returns the source with updated comments above the `public var` of each field.
    public static func updated(source: String, for section: ConfigDescription) -> String {
        var output: [String] = []
        var isInside = false
        for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.contains("struct \(section.type):") { isInside = true }
            if line == "}" { isInside = false }
            if isInside, let field = section.fields.first(where: { declares(line, $0) }) {
                while output.last?.hasPrefix("    ///") == true { output.removeLast() }
                output += comment(on: field, in: section)
            }
            output.append(String(line))
        }
        return output.joined(separator: "\n")
    }

    private static func declares(_ line: Substring, _ field: ConfigDescription.Field) -> Bool {
        let start = "    public var \(field.property)"
        return line.hasPrefix(start + " = ") || line.hasPrefix(start + ": ")
    }

    private static func comment(
        on field: ConfigDescription.Field, in section: ConfigDescription
    ) -> [String] {
        let text = field.summary.wrapped(to: 96, first: "    /// ", rest: "    /// ", end: "")
        let rule = "`\(section.path)/\(field.name)`: \(field.rule)"
        return text + ["    ///"]
            + rule.wrapped(to: 96, first: "    /// ", rest: "    /// ", end: "")
    }
}

extension ConfigDescription.Field {
    /// `A whole number, 0 to 65535. Default 12345. Needs a restart.`
    var rule: String {
        let effect = change == .live ? "Changes live." : "Needs a restart."
        return "\(allowed.prefix(1).uppercased())\(allowed.dropFirst()). Default "
            + "\(defaultWithUnit). \(effect)"
    }
}

extension String {
    /// Returns the text broken into lines between words. The first line begins with `first`, the
    /// other ones with `rest`; `end` is appended to the last one.
    func wrapped(to width: Int, first: String, rest: String, end: String) -> [String] {
        var lines: [String] = []
        var line = first
        var isEmpty = true
        for word in split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = rest
                isEmpty = true
            }
            line += isEmpty ? String(word) : " \(word)"
            isEmpty = false
        }
        return lines + [line + end]
    }
}
