import RocketSystem

/// How a value stands in the configuration: its text, its range, its unit.
public struct ConfigType<Value: Sendable>: Sendable {
    /// The unit of a bare number (`ms`, `bytes`), nil where it has none.
    public let unit: String?
    /// What is allowed, in words: `a whole number, 0 to 65535`.
    public let allowed: String
    /// The value that a trimmed text stands for; nil when it is not allowed.
    let parse: @Sendable (String) -> Value?
    /// The text that `parse` turns into this value again.
    let text: @Sendable (Value) -> String
    /// A relative path made one relative to the file's folder.
    let resolve: @Sendable (Value, ConfigFolder) -> Value

    init(
        unit: String? = nil, allowed: String,
        parse: @escaping @Sendable (String) -> Value?,
        text: @escaping @Sendable (Value) -> String,
        resolve: @escaping @Sendable (Value, ConfigFolder) -> Value = { value, _ in value }
    ) {
        self.unit = unit
        self.allowed = allowed
        self.parse = parse
        self.text = text
        self.resolve = resolve
    }
}

extension ConfigType where Value == Int {
    /// A whole number.
    public static func integer(_ range: ClosedRange<Int>) -> Self { number(range, unit: nil) }

    /// A number of bytes.
    public static func bytes(_ range: ClosedRange<Int>) -> Self { number(range, unit: "bytes") }

    private static func number(_ range: ClosedRange<Int>, unit: String?) -> Self {
        Self(
            unit: unit, allowed: Self.words(range, unit),
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } },
            text: { String($0) })
    }

    fileprivate static func words(_ range: ClosedRange<Int>, _ unit: String?) -> String {
        let number = unit.map { "a whole number of \($0)" } ?? "a whole number"
        return "\(number), \(range.lowerBound) to \(range.upperBound)"
    }
}

extension ConfigType where Value == Duration {
    /// A span of time, written in whole milliseconds.
    public static func milliseconds(_ range: ClosedRange<Int>) -> Self {
        let number = ConfigType<Int>.integer(range)
        return Self(
            unit: "ms", allowed: ConfigType<Int>.words(range, "ms"),
            parse: { number.parse($0).map { .milliseconds($0) } },
            text: {
                let (seconds, attoseconds) = $0.components
                return String(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
            })
    }
}

extension ConfigType where Value == Bool {
    /// `true` or `false`.
    public static var boolean: Self {
        Self(
            allowed: "true or false", parse: { Bool($0.lowercased()) }, text: { String($0) })
    }
}

extension ConfigType where Value == String {
    /// Any text of 1 to `maximum` characters.
    public static func text(maximum: Int = 255) -> Self {
        Self(
            allowed: "a text of 1 to \(maximum) characters",
            parse: { (1...maximum).contains($0.count) ? $0 : nil }, text: { $0 })
    }

    /// A word of letters, digits, `.`, `_` and `-`, at most 100 characters: no path, no space.
    public static var name: Self {
        Self(
            allowed: "1 to 100 letters, digits, '.', '_' or '-', the first one no '.'",
            parse: { text in
                let isName = text.unicodeScalars.allSatisfy {
                    $0.properties.isAlphabetic || ("0"..."9").contains($0)
                        || "._-".unicodeScalars.contains($0)
                }
                return isName && (1...100).contains(text.count) && text.first != "." ? text : nil
            },
            text: { $0 })
    }

    /// A path; a relative one is relative to the folder of the configuration file.
    public static var path: Self {
        Self(
            allowed: "a path, absolute or relative to this file's folder",
            parse: { (1...4000).contains($0.utf8.count) ? $0 : nil }, text: { $0 },
            resolve: { $1.resolve($0) })
    }

    /// A numeric IPv4 or IPv6 address.
    public static var ipAddress: Self {
        Self(
            allowed: "an IPv4 or IPv6 address in numbers, such as 127.0.0.1 or ::1",
            parse: { IPLiteral($0) == nil ? nil : $0 }, text: { $0 })
    }

    /// `IP:PORT`, `[IPv6]:PORT`, `unix:PATH` or `unix:@NAME` (Linux's abstract names).
    public static var address: Self {
        Self(
            allowed: "IP:PORT, [IPv6]:PORT, unix:PATH or unix:@NAME",
            parse: { ConfigAddress.isAddress($0) ? $0 : nil }, text: { $0 },
            resolve: { ConfigAddress.resolve($0, $1) })
    }
}

extension ConfigType {
    /// One of the cases of an enumeration, by name, upper or lower case.
    public static func choice(
        of cases: [Value], name: @escaping @Sendable (Value) -> String
    ) -> Self {
        Self(
            allowed: "one of " + cases.map(name).joined(separator: ", "),
            parse: { text in cases.first { name($0).lowercased() == text.lowercased() } },
            text: name)
    }

    /// A value that may be missing: an empty element means that it is.
    public static func optional<Wrapped: Sendable>(
        _ type: ConfigType<Wrapped>
    ) -> Self where Value == Wrapped? {
        Self(
            unit: type.unit, allowed: type.allowed + "; or empty",
            parse: { $0.isEmpty ? .some(nil) : type.parse($0).map { .some($0) } },
            text: { $0.map(type.text) ?? "" },
            resolve: { value, folder in value.map { type.resolve($0, folder) } })
    }

    /// Several values, with commas between them.
    public static func list<Element: Sendable>(
        of type: ConfigType<Element>, count: ClosedRange<Int>
    ) -> Self where Value == [Element] {
        Self(
            unit: type.unit,
            allowed: "\(count.lowerBound) to \(count.upperBound) values, with commas between "
                + "them; each " + type.allowed,
            parse: { text in
                let parts =
                    text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
                let values = parts.compactMap { type.parse($0.trimmingSpaces) }
                return values.count == parts.count && count.contains(parts.count) ? values : nil
            },
            text: { $0.map(type.text).joined(separator: ", ") },
            resolve: { values, folder in values.map { type.resolve($0, folder) } })
    }
}

extension StringProtocol {
    /// Without the white space around it.
    var trimmingSpaces: String {
        let start = drop { $0.isWhitespace }
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }
}
