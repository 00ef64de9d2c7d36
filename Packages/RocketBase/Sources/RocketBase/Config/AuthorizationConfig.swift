extension ConfigType where Value == AuthorizationPolicy? {
    /// A table of rules, each an element `rule`; in one text they are separated by semicolons. No
    /// rules: no table.
    static var authorization: Self {
        var type = Self(
            allowed: "0 to \(AuthorizationPolicy.maxRules) elements named rule; each allow or "
                + "deny, patterns of methods, to, patterns of callers, separated by blanks",
            parse: { text in
                let texts = text.isEmpty ? [] : AuthorizationRule.split(text)
                switch read(texts.map(\.trimmingSpaces)) {
                case .success(let policy): return .some(policy)
                case .failure: return .none
                }
            },
            text: { $0.map { $0.rules.map(\.description).joined(separator: "; ") } ?? "" })
        type.parts = ConfigParts(name: "rule", read: read)
        return type
    }

    private static func read(
        _ texts: [String]
    ) -> Result<AuthorizationPolicy?, ConfigPartError> {
        if texts.isEmpty { return .success(nil) }
        var rules: [AuthorizationRule] = []
        for (index, text) in texts.enumerated() {
            do throws(AuthorizationError) {
                rules.append(try AuthorizationRule(text))
            } catch {
                return .failure(
                    ConfigPartError(index: index, message: "rule \(index + 1): \(error)"))
            }
        }
        do throws(AuthorizationError) {
            return .success(try AuthorizationPolicy(rules))
        } catch {
            return .failure(
                ConfigPartError(index: AuthorizationPolicy.maxRules, message: "\(error)"))
        }
    }
}
