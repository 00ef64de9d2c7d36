/// One thing wrong, or odd, in a configuration: where, what was found, what is allowed.
public struct ConfigIssue: Hashable, Sendable, CustomStringConvertible {
    /// Whether the configuration can be used all the same.
    public enum Severity: String, Hashable, Sendable {
        /// Usable; the text in question is ignored.
        case warning
        /// Not usable.
        case error
    }

    /// An error makes the configuration unusable, a warning does not.
    public let severity: Severity
    /// Where the text stands.
    public let place: ConfigOrigin
    /// The element's path, `root/server/port`; empty when it is about the whole file.
    public let path: String
    /// The rule that was broken, in words: `found "65536"; allowed: a whole number, 0 to 65535`.
    public let message: String

    /// `conf/rocket.xml:12:5: error: root/server/port: found "65536"; allowed: …`
    public var description: String {
        let subject = path.isEmpty ? "" : "\(path): "
        return "\(place.detail): \(severity.rawValue): \(subject)\(message)"
    }
}

/// A configuration that can't be used. Its description tells everything that is wrong with it.
public struct ConfigError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file that was to be read.
    public let file: String
    /// All errors and warnings, in the order of the file, then of the environment; not empty.
    public let issues: [ConfigIssue]

    /// One line for each issue, under a headline when there are several.
    public var description: String {
        let errors = issues.count { $0.severity == .error }
        let lines = issues.map(\.description)
        if lines.count == 1 { return lines[0] }
        return (["\(file): \(errors) error\(errors == 1 ? "" : "s")"] + lines).joined(
            separator: "\n")
    }
}

extension String {
    /// As it stands in a message: quoted, control characters escaped, cut when long.
    var quotedForMessage: String {
        let cut = unicodeScalars.prefix(60)
        let shown = cut.map {
            $0.value < 0x20 || $0.value == 0x7F ? "\\u{\(String($0.value, radix: 16))}" : String($0)
        }
        return "\"\(shown.joined())\(cut.count < unicodeScalars.count ? "…" : "")\""
    }
}
