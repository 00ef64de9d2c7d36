import RocketSystem

/// The type of a value in the configuration: its text form, its allowed values and its unit.
public struct ConfigType<Value: Sendable>: Sendable {
    /// The unit of a number (`ms`, `bytes`); nil when it has none.
    public let unit: String?
    /// A description of the allowed values: `a whole number, 0 to 65535`.
    public let allowed: String
    /// Returns the value of a trimmed text; nil when the text is not allowed.
    let parse: @Sendable (String) -> Value?
    /// Returns the text from which `parse` returns the value.
    let text: @Sendable (Value) -> String
    /// Returns the value with a relative path resolved against the folder.
    let resolve: @Sendable (Value, ConfigFolder) -> Value
    /// Set if the element of the value contains one element for each of its parts.
    var parts: ConfigParts<Value>?

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

    /// The mode of a file, in octal: the bits of the lower bound are always set, and none beyond
    /// those of the upper bound.
    public static func mode(_ range: ClosedRange<Int>) -> Self {
        let text = { @Sendable (mode: Int) in "0" + String(mode, radix: 8) }
        return Self(
            allowed: "an octal mode, \(text(range.lowerBound)) to \(text(range.upperBound))",
            parse: { digits in
                guard
                    digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
                    ),
                    let mode = Int(digits, radix: 8),
                    mode & range.lowerBound == range.lowerBound, mode & ~range.upperBound == 0
                else { return nil }
                return mode
            }, text: text)
    }

    private static func number(_ range: ClosedRange<Int>, unit: String?) -> Self {
        Self(
            unit: unit, allowed: Self.description(of: range, unit),
            parse: { Int($0).flatMap { range.contains($0) ? $0 : nil } },
            text: { String($0) })
    }

    fileprivate static func description(
        of range: ClosedRange<Int>, _ unit: String?
    ) -> String {
        let number = unit.map { "a whole number of \($0)" } ?? "a whole number"
        return "\(number), \(range.lowerBound) to \(range.upperBound)"
    }
}

extension ConfigType where Value == Duration {
    /// A duration in whole milliseconds.
    public static func milliseconds(_ range: ClosedRange<Int>) -> Self {
        let number = ConfigType<Int>.integer(range)
        return Self(
            unit: "ms", allowed: ConfigType<Int>.description(of: range, "ms"),
            parse: { number.parse($0).map { .milliseconds($0) } },
            text: {
                let (seconds, attoseconds) = $0.components
                return String(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
            })
    }
}

extension ConfigType where Value == UInt32 {
    /// The permissions of a file, in octal digits.
    public static var fileMode: Self {
        Self(
            allowed: "permissions of 3 or 4 octal digits, 000 to 0777",
            parse: { text in
                guard (3...4).contains(text.utf8.count),
                    text.utf8.allSatisfy({ (48...55).contains($0) }),
                    let mode = UInt32(text, radix: 8), mode <= 0o777
                else { return nil }
                return mode
            },
            text: { mode in
                let digits = String(mode, radix: 8)
                return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
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
    /// A text of 1 to `maximum` characters.
    public static func text(maximum: Int = 255) -> Self {
        Self(
            allowed: "a text of 1 to \(maximum) characters",
            parse: { (1...maximum).contains($0.count) ? $0 : nil }, text: { $0 })
    }

    /// A name of 1 to 100 letters, digits, `.`, `_` and `-`, which does not begin with `.`.
    public static var name: Self {
        Self(
            allowed: "1 to 100 letters, digits, '.', '_' or '-', not beginning with '.'",
            parse: { text in
                let isName = text.unicodeScalars.allSatisfy {
                    $0.properties.isAlphabetic || ("0"..."9").contains($0)
                        || "._-".unicodeScalars.contains($0)
                }
                return isName && (1...100).contains(text.count) && text.first != "." ? text : nil
            },
            text: { $0 })
    }

    /// A path. Relative paths are resolved against the folder of the configuration file.
    public static var path: Self {
        Self(
            allowed: "a path, absolute or relative to this file's folder",
            parse: { (1...4000).contains($0.utf8.count) ? $0 : nil }, text: { $0 },
            resolve: { $1.resolve($0) })
    }

    /// A path, as `path`, or that of a systemd credential (`LoadCredential=`), which stays as it is:
    /// `${CREDENTIALS_DIRECTORY}/NAME`.
    public static var credentialPath: Self {
        Self(
            allowed: "a path, absolute or relative to this file's folder, or "
                + CredentialPath.prefix + "NAME",
            parse: { (1...4000).contains($0.utf8.count) ? $0 : nil }, text: { $0 },
            resolve: { $0.hasPrefix(CredentialPath.prefix) ? $0 : $1.resolve($0) })
    }

    /// A numeric IPv4 or IPv6 address.
    public static var ipAddress: Self {
        Self(
            allowed: "a numeric IPv4 or IPv6 address, such as 127.0.0.1 or ::1",
            parse: { IPLiteral($0) == nil ? nil : $0 }, text: { $0 })
    }

    /// `IP:PORT`, `[IPv6]:PORT`, `unix:PATH` or `unix:@NAME` (an abstract name of Linux).
    public static var address: Self {
        Self(
            allowed: "IP:PORT, [IPv6]:PORT, unix:PATH or unix:@NAME (up to 107 bytes)",
            parse: { ConfigAddress.isAddress($0) ? $0 : nil }, text: { $0 },
            resolve: { ConfigAddress.resolve($0, $1) })
    }

    /// An address that a server listens on: as `address`, or `HOST:PORT`.
    public static var listenAddress: Self {
        Self(
            allowed: "IP:PORT, [IPv6]:PORT, HOST:PORT, unix:PATH or unix:@NAME (up to 107 bytes)",
            parse: { ConfigAddress.isListenAddress($0) ? $0 : nil }, text: { $0 },
            resolve: { ConfigAddress.resolve($0, $1) })
    }

    /// An address, or a name that servers are found by.
    public static var target: Self {
        Self(
            allowed: "IP:PORT, [IPv6]:PORT, unix:PATH, unix:@NAME (up to 107 bytes), HOST:PORT, or "
                + "SCHEME:NAME such as dns:///HOST:PORT",
            parse: { ConfigAddress.isTarget($0) ? $0 : nil }, text: { $0 },
            resolve: { ConfigAddress.resolve($0, $1) })
    }
}

extension ConfigType {
    /// One of several cases, by name in upper or lower case.
    public static func choice(
        of cases: [Value], name: @escaping @Sendable (Value) -> String
    ) -> Self {
        Self(
            allowed: "one of " + cases.map(name).joined(separator: ", "),
            parse: { text in cases.first { name($0).lowercased() == text.lowercased() } },
            text: name)
    }

    /// An optional value: an empty element means that it is missing.
    public static func optional<Wrapped: Sendable>(
        _ type: ConfigType<Wrapped>
    ) -> Self where Value == Wrapped? {
        Self(
            unit: type.unit, allowed: type.allowed + "; or empty",
            parse: { $0.isEmpty ? .some(nil) : type.parse($0).map { .some($0) } },
            text: { $0.map(type.text) ?? "" },
            resolve: { value, folder in value.map { type.resolve($0, folder) } })
    }

    /// A list of values, separated by commas.
    public static func list<Element: Sendable>(
        of type: ConfigType<Element>, count: ClosedRange<Int>
    ) -> Self where Value == [Element] {
        Self(
            unit: type.unit,
            allowed: "\(count.lowerBound) to \(count.upperBound) values, separated by commas; each "
                + type.allowed,
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

/// The parts of a value that are elements of their own in the file.
struct ConfigParts<Value: Sendable>: Sendable {
    /// The name of each element.
    let name: String
    /// Reads the texts of all elements.
    let read: @Sendable ([String]) -> Result<Value, ConfigPartError>
}

/// Which part of a value is wrong, and why.
struct ConfigPartError: Error {
    let index: Int
    let message: String
}

extension StringProtocol {
    /// The text without leading and trailing white space.
    var trimmingSpaces: String {
        let start = drop { $0.isWhitespace }
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }
}
