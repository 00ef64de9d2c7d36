/// One error or warning of a configuration: its position, the text found and the allowed values.
public struct ConfigIssue: Hashable, Sendable, CustomStringConvertible {
    /// Whether the configuration can still be used.
    public enum Severity: String, Hashable, Sendable {
        /// The configuration can be used; the text in question is ignored.
        case warning
        /// The configuration can't be used.
        case error
    }

    /// Whether the configuration can still be used.
    public let severity: Severity
    /// The position of the text.
    public let origin: ConfigOrigin
    /// The path of the element, `root/server/port`; empty when the issue concerns the whole file.
    public let path: String
    /// The rule that was broken: `found "65536"; allowed: a whole number, 0 to 65535`.
    public let message: String

    /// `conf/rocket.xml:12:5: error: root/server/port: found "65536"; allowed: …`, with unsafe
    /// characters of names and paths escaped.
    public var description: String {
        let subject = path.isEmpty ? "" : "\(path): "
        return PrintableText.escaping(
            "\(origin.detail): \(severity.rawValue): \(subject)\(message)",
            PrintableText.swiftEscape)
    }
}

/// The errors of a configuration that can't be used. The description contains all of them.
public struct ConfigError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path of the configuration file.
    public let file: String
    /// All errors and warnings, first those of the file in its order, then those of the
    /// environment; not empty.
    public let issues: [ConfigIssue]

    /// One line per issue, under a headline when there are several.
    public var description: String {
        let errors = issues.count { $0.severity == .error }
        let lines = issues.map(\.description)
        if lines.count == 1 { return lines[0] }
        return (["\(file): \(errors) error\(errors == 1 ? "" : "s")"] + lines).joined(
            separator: "\n")
    }
}

/// The origin of a value of the configuration.
public enum ConfigOrigin: Hashable, Sendable, CustomStringConvertible {
    /// The default of the schema.
    case `default`
    /// An element of the file. Line and column count from 1; 0: unknown.
    case file(String, line: Int, column: Int)
    /// The environment variable with this name.
    case environment(String)

    /// The text in `--check-config`: `default`, `conf/rocket.xml:12`, `$ROCKET_SERVER_PORT`.
    public var description: String {
        switch self {
        case .default: "default"
        case .file(let name, let line, _): line > 0 ? "\(name):\(line)" : name
        case .environment(let name): "$\(name)"
        }
    }

    /// The description with the column, in the format of compilers.
    var detail: String {
        if case .file(_, let line, let column) = self, line > 0 { return "\(self):\(column)" }
        return description
    }

    /// Returns whether issues of this origin are listed before those of the other one: first the
    /// file by position, then the environment in the given order (the sort is stable).
    func isBefore(_ other: ConfigOrigin) -> Bool {
        switch (self, other) {
        case (.file(_, let line, let column), .file(_, let otherLine, let otherColumn)):
            (line, column) < (otherLine, otherColumn)
        case (.file, .environment): true
        default: false
        }
    }
}

extension String {
    /// The text for a message: quoted, with unsafe characters escaped, cut after 60 characters.
    var quotedForMessage: String {
        let cut = unicodeScalars.prefix(60)
        let shown = PrintableText.escaping(String(cut), PrintableText.swiftEscape)
        return "\"\(shown)\(cut.count < unicodeScalars.count ? "…" : "")\""
    }
}
