/// Which methods a rule or a setting is about. A value.
public enum MethodPattern: Hashable, Sendable {
    /// `*`
    case all
    /// `shop.v1.*`: all whose names begin with `shop.v1.`
    case below(prefix: String)
    /// `shop.v1.Order.makeOrder`
    case exactly(String)

    static let expected =
        "expected a method (package.Service.method), the methods below a name "
        + "(package.Service.*), or *"

    /// Reads a pattern: a method, the methods below a name (`package.Service.*`), or `*`.
    ///
    /// - Throws: `AuthorizationError` with what was expected.
    public init(_ text: String) throws(AuthorizationError) {
        if text == "*" {
            self = .all
            return
        }
        let isBelow = text.hasSuffix(".*")
        let name = isBelow ? text.dropLast(2) : text[...]
        guard text.utf8.count <= AuthorizationRule.maxPatternBytes, Self.isName(name),
            isBelow || name.contains(".")
        else {
            throw AuthorizationError(
                "the method pattern \(text.quotedForMessage) is not valid; \(Self.expected)")
        }
        self = isBelow ? .below(prefix: name + ".") : .exactly(text)
    }

    /// Whether it is words of letters, digits and `_`, separated by dots.
    private static func isName(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { word in
            !word.isEmpty
                && word.utf8.allSatisfy {
                    switch $0 {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
    }

    /// Whether a method of that full name is meant.
    public func matches(_ method: String) -> Bool {
        switch self {
        case .all: true
        case .below(let prefix): method.utf8.starts(with: prefix.utf8)
        case .exactly(let name): method == name
        }
    }

    /// Whether it matches all methods that the other one matches.
    func covers(_ other: MethodPattern) -> Bool {
        switch other {
        case .all: self == .all
        case .below(let prefix): matches(prefix)
        case .exactly(let name): matches(name)
        }
    }
}

extension MethodPattern: CustomStringConvertible {
    /// The text from which `init` reads it.
    public var description: String {
        switch self {
        case .all: "*"
        case .below(let prefix): prefix + "*"
        case .exactly(let name): name
        }
    }
}
