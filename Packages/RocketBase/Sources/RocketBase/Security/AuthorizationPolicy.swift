/// Who may call which methods: a table of rules, of which the first that matches decides. What no
/// rule matches is denied. A value.
///
/// ```swift
/// let policy = try AuthorizationPolicy(
///     "allow rocket.Health.* to *",
///     "allow shop.v1.Order.* to dns:orders.example unix:uid=1000")
/// ```
public struct AuthorizationPolicy: Hashable, Sendable {
    /// The most rules of a policy.
    public static let maxRules = 512

    /// The rules, in their order.
    public let rules: [AuthorizationRule]

    /// Creates a policy of rules that have been read.
    ///
    /// - Throws: `AuthorizationError` for more than `maxRules`.
    public init(_ rules: [AuthorizationRule]) throws(AuthorizationError) {
        guard rules.count <= Self.maxRules else {
            throw AuthorizationError(
                "there are \(rules.count) rules; a policy has at most \(Self.maxRules)")
        }
        self.rules = rules
    }

    /// Reads a policy from the texts of its rules.
    ///
    /// - Throws: `AuthorizationError` with the number of the rule, its wrong part, and what was
    ///   expected.
    public init(_ rules: String...) throws(AuthorizationError) {
        var read: [AuthorizationRule] = []
        for (index, text) in rules.enumerated() {
            do throws(AuthorizationError) {
                read.append(try AuthorizationRule(text))
            } catch {
                throw AuthorizationError("rule \(index + 1): \(error)")
            }
        }
        try self.init(read)
    }

    /// Decides whether a caller may call a method.
    ///
    /// - Parameters:
    ///   - method: its full name, `package.Service.method`.
    ///   - identity: what the caller's connection has proved.
    ///   - token: what the call's token has proved; nil: it has none.
    public func decide(
        _ method: String, _ identity: PeerIdentity, _ token: TokenIdentity? = nil
    ) -> AuthorizationDecision {
        for (index, rule) in rules.enumerated() where rule.matches(method, identity, token) {
            return AuthorizationDecision(isAllowed: rule.isAllowed, rule: index + 1)
        }
        return AuthorizationDecision(isAllowed: false, rule: nil)
    }
}

/// What a policy says of one caller and one method. A value.
public struct AuthorizationDecision: Hashable, Sendable {
    /// Whether the call may be served.
    public let isAllowed: Bool
    /// The number of the rule that decides, from 1; nil: no rule matches.
    public let rule: Int?
}

/// What is wrong with a rule of a policy. A value.
public struct AuthorizationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was found, where, and what was expected.
    public let description: String

    init(_ text: String) { description = text }
}
