/// One line of an `AuthorizationPolicy`: which callers may, or may not, call which methods. A value.
///
///     allow shop.v1.Order.* shop.v1.Stock.query to dns:orders.example unix:uid=1000
///
/// First `allow` or `deny`, then one or more patterns of methods, `to`, and one or more patterns of
/// callers, separated by blanks. A pattern that contains blanks or a semicolon is written in double
/// quotes.
public struct AuthorizationRule: Hashable, Sendable {
    /// The most patterns of methods, and of callers, of a rule.
    public static let maxPatterns = 64
    /// The longest pattern, in bytes.
    public static let maxPatternBytes = 511

    /// Whether the calls that it matches are allowed; otherwise they are denied.
    public let isAllowed: Bool
    let methods: [MethodPattern]
    let callers: [CallerPattern]

    /// Reads a rule.
    ///
    /// - Throws: `AuthorizationError` with the wrong part of the text, and what was expected.
    public init(_ text: String) throws(AuthorizationError) {
        var words = try Self.words(of: text)[...]
        switch words.popFirst()?.text {
        case "allow": isAllowed = true
        case "deny": isAllowed = false
        case let word:
            throw AuthorizationError(
                "begins with \((word ?? "").quotedForMessage); expected allow or deny")
        }
        guard let to = words.firstIndex(where: { $0.text == "to" && !$0.isQuoted }) else {
            throw AuthorizationError(
                "has no word \"to\"; expected allow or deny, METHODS to CALLERS")
        }
        let (before, after) = (words[..<to], words[(to + 1)...])
        try Self.check(before.count, "methods", "before")
        try Self.check(after.count, "callers", "after")
        var methods: [MethodPattern] = []
        for word in before { methods.append(try MethodPattern(word.text)) }
        var callers: [CallerPattern] = []
        for word in after { callers.append(try CallerPattern(word.text)) }
        (self.methods, self.callers) = (methods, callers)
    }

    private static func check(
        _ count: Int, _ what: String, _ place: String
    ) throws(AuthorizationError) {
        guard (1...maxPatterns).contains(count) else {
            throw AuthorizationError(
                "has \(count) patterns of \(what) \(place) \"to\"; expected 1 to \(maxPatterns)")
        }
    }

    func matches(_ method: String, _ identity: PeerIdentity, _ token: TokenIdentity?) -> Bool {
        methods.contains { $0.matches(method) }
            && callers.contains { $0.matches(identity, token) }
    }
}

extension AuthorizationRule: CustomStringConvertible {
    /// The text from which the rule can be read again.
    public var description: String {
        let words = methods.map(\.description) + ["to"] + callers.map(\.description)
        return (isAllowed ? "allow " : "deny ") + words.map(Self.quoted).joined(separator: " ")
    }

    private static func quoted(_ pattern: String) -> String {
        pattern.contains { $0.isWhitespace || $0 == ";" } ? "\"\(pattern)\"" : pattern
    }
}

// MARK: - Words

extension AuthorizationRule {
    private struct Word {
        var text = ""
        var isQuoted = false
    }

    /// Splits the text of several rules at the semicolons that are not within double quotes.
    static func split(_ text: String) -> [String] {
        var (rules, rule, isQuoted) = ([String](), "", false)
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character == ";", !isQuoted {
                rules.append(rule)
                rule = ""
            } else {
                rule.append(character)
            }
        }
        return rules + [rule]
    }

    private static func words(of text: String) throws(AuthorizationError) -> [Word] {
        var (words, word, isQuoted) = ([Word](), Word?.none, false)
        for character in text {
            if character == "\"" {
                isQuoted.toggle()
                word = word ?? Word()
                word?.isQuoted = true
            } else if character.isWhitespace, !isQuoted {
                if let done = word.take() { words.append(done) }
            } else if character == ";", !isQuoted {
                throw AuthorizationError(
                    "found \";\" in the rule; expected one rule, or double quotes around the pattern"
                )
            } else {
                word = word ?? Word()
                word?.text.append(character)
            }
        }
        if isQuoted {
            throw AuthorizationError("has an odd number of double quotes; expected pairs")
        }
        if let word { words.append(word) }
        return words
    }
}
