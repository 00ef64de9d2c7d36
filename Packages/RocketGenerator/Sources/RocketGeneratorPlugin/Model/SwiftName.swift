/// Converts names of .proto files to Swift.
package enum SwiftName {
    /// Returns `makeOrder` for `make_order`, `MakeOrder` and `makeOrder`, `httpGet` for `HTTPGet`, and
    /// `id` for `ID`. Capitals after the first word do not change.
    package static func lowerCamel(_ name: String) -> String {
        let words = words(of: name)
        guard let first = words.first else { return name }
        return lowercasingHead(first) + words.dropFirst().map(uppercasingFirst).joined()
    }

    /// Returns `QueryName` for `query_name` and `queryName`. Capitals after the first letter do not
    /// change.
    package static func upperCamel(_ name: String) -> String {
        let words = words(of: name)
        return words.isEmpty ? name : words.map(uppercasingFirst).joined()
    }

    /// Whether a name consists of several words: `makeOrder` and `make_order`, but not `order`.
    package static func hasSeveralWords(_ name: String) -> Bool {
        words(of: name).count > 1 || name.dropFirst().contains { $0.isUppercase }
    }

    /// Returns a valid Swift name for a method, or nil for a name of underscores only. `self` gets an
    /// underscore, since backticks do not make it a usable name.
    package static func method(_ protoName: String) -> String? {
        let name = lowerCamel(protoName)
        guard let first = name.first, first != "_", !first.isNumber else {
            // `_2fa` keeps its underscore: a Swift name cannot start with a digit.
            let digits = name.drop { $0 == "_" }
            return digits.isEmpty ? nil : "_\(digits)"
        }
        return name == "self" ? "self_" : name
    }

    /// Returns the name as it is written in code: in backticks if it is a keyword.
    package static func escaped(_ name: String) -> String {
        keywords.contains(name) ? "`\(name)`" : name
    }

    private static func words(of name: String) -> [Substring] {
        name.split(separator: "_")
    }

    private static func uppercasingFirst(_ word: Substring) -> String {
        word.prefix(1).uppercased() + word.dropFirst()
    }

    /// Lowers the leading capitals except one that begins the next word: `URLFor` consists of `URL`
    /// and `For`.
    private static func lowercasingHead(_ word: Substring) -> String {
        let capitals = word.prefix { $0.isUppercase }
        let rest = word.dropFirst(capitals.count)
        let nextWordBegins = capitals.count > 1 && rest.first?.isLowercase == true
        let head = nextWordBegins ? capitals.dropLast() : capitals
        return head.lowercased() + word.dropFirst(head.count)
    }

    /// Words that Swift's grammar reserves, and `await`, which is hard to read unescaped.
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

/// The four Swift names of a service.
struct ServiceNames: Equatable {
    var protocolName: String
    var synchronousName: String
    var methodsName: String
    var clientName: String

    /// Derives `OrderService`, `SynchronousOrderService`, `OrderMethods` and `OrderClient` from
    /// `Order`. A name that ends in "Service" does not get the word twice: `QueryService`,
    /// `SynchronousQueryService`, `QueryServiceMethods`, `QueryServiceClient`.
    ///
    /// - Parameters:
    ///   - prefix: swift-protobuf's prefix for the messages of the file: `Shop_V1_`.
    ///   - isLong: whether the names are those for services whose plain names are taken:
    ///     `OrderRPCService`, `SynchronousOrderRPCService`, `OrderRPCMethods`, `OrderRPCClient`.
    init(service name: String, prefix: String, isLong: Bool = false) {
        let stem = prefix + SwiftName.upperCamel(name) + (isLong ? "RPC" : "")
        protocolName = stem.hasSuffix("Service") ? stem : "\(stem)Service"
        synchronousName = "\(prefix)Synchronous\(protocolName.dropFirst(prefix.count))"
        methodsName = "\(stem)Methods"
        clientName = "\(stem)Client"
    }
}
