/// Where a value of the configuration came from.
public enum ConfigOrigin: Hashable, Sendable, CustomStringConvertible {
    /// Nobody set it.
    case `default`
    /// An element of the file; line and column count from 1, 0 where they are not known.
    case file(String, line: Int, column: Int)
    /// The environment variable of that name.
    case environment(String)

    /// As `--check-config` shows it: `default`, `conf/rocket.xml:12`, `$ROCKET_SERVER_PORT`.
    public var description: String {
        switch self {
        case .default: "default"
        case .file(let name, let line, _): line > 0 ? "\(name):\(line)" : name
        case .environment(let name): "$\(name)"
        }
    }

    /// The order of reports: by place in the file, then the environment. A stable sort needs no
    /// more.
    func isBefore(_ other: ConfigOrigin) -> Bool {
        switch (self, other) {
        case (.file(_, let line, let column), .file(_, let otherLine, let otherColumn)):
            (line, column) < (otherLine, otherColumn)
        case (.file, .environment): true
        default: false
        }
    }

    /// With the column, as compilers write it.
    var detail: String {
        if case .file(_, let line, let column) = self, line > 0 { return "\(self):\(column)" }
        return description
    }
}
