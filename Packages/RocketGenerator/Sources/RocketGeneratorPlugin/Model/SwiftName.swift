/// How names of a .proto file are written in Swift.
package enum SwiftName {
    /// `make_order`, `MakeOrder` and `makeOrder` become `makeOrder`; `HTTPGet` becomes `httpGet`,
    /// `ID` becomes `id`. Capitals further on stay as they are.
    package static func lowerCamel(_ name: String) -> String {
        let words = words(of: name)
        guard let first = words.first else { return name }
        return lowercasingHead(first) + words.dropFirst().map(uppercasingFirst).joined()
    }

    /// `query_name` and `queryName` become `QueryName`. Capitals further on stay as they are.
    package static func upperCamel(_ name: String) -> String {
        let words = words(of: name)
        return words.isEmpty ? name : words.map(uppercasingFirst).joined()
    }

    /// Whether there is more than one word in a name: `makeOrder` and `make_order`, not `order`.
    package static func hasSeveralWords(_ name: String) -> Bool {
        words(of: name).count > 1 || name.dropFirst().contains { $0.isUppercase }
    }

    /// A method's name as Swift can have it. `self` is the one word that not even backticks make
    /// usable; a name of underscores only has no Swift form and gives nil.
    package static func method(_ protoName: String) -> String? {
        let name = lowerCamel(protoName)
        guard let first = name.first, first != "_", !first.isNumber else {
            // `_2fa`: a leading digit keeps the underscore that makes it a name.
            let digits = name.drop { $0 == "_" }
            return digits.isEmpty ? nil : "_\(digits)"
        }
        return name == "self" ? "self_" : name
    }

    /// A name as it stands in code: in backticks where it is a keyword.
    package static func escaped(_ name: String) -> String {
        keywords.contains(name) ? "`\(name)`" : name
    }

    private static func words(of name: String) -> [Substring] {
        name.split(separator: "_")
    }

    private static func uppercasingFirst(_ word: Substring) -> String {
        word.prefix(1).uppercased() + word.dropFirst()
    }

    /// Lowers the capitals at the head, but not the one that begins the next word: `URLFor` is
    /// `URL` and `For`.
    private static func lowercasingHead(_ word: Substring) -> String {
        let capitals = word.prefix { $0.isUppercase }
        let rest = word.dropFirst(capitals.count)
        let nextWordBegins = capitals.count > 1 && rest.first?.isLowercase == true
        let head = nextWordBegins ? capitals.dropLast() : capitals
        return head.lowercased() + word.dropFirst(head.count)
    }

    /// The words that Swift's grammar reserves, and `await`, which reads badly unescaped.
    package static let keywords: Set<String> = [
        "Any", "Self", "as", "associatedtype", "await", "break", "case", "catch", "class",
        "continue", "default", "defer", "deinit", "do", "else", "enum", "extension",
        "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import", "in",
        "init", "inout", "internal", "is", "let", "nil", "operator", "precedencegroup",
        "private", "protocol", "public", "repeat", "rethrows", "return", "self", "static",
        "struct", "subscript", "super", "switch", "throw", "throws", "true", "try",
        "typealias", "var", "where", "while",
    ]
}
