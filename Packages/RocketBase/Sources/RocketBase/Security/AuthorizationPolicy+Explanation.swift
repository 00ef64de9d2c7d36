extension AuthorizationPolicy {
    /// Who may call what, as text for people: for each pattern of methods, the callers in the order
    /// in which they are tried, each with what is decided and by which rule.
    ///
    ///     shop.v1.Order.makeOrder
    ///       deny   token:guest                        rule 1
    ///       allow  dns:orders.example                 rule 2
    ///       deny   anyone else
    ///
    /// - Parameter methods: methods to explain in place of the patterns, by their full names.
    public func explanation(of methods: [String] = []) -> String {
        if rules.isEmpty { return "There is no rule: nobody may call any method." }
        let wanted =
            methods.isEmpty
            ? rules.flatMap(\.methods).firstOfEach : methods.map { MethodPattern.exactly($0) }
        var lines = [
            "Who may call what. The first rule that matches decides. Where several of these patterns",
            "match a method, the rules of all of them are tried, in the order of their numbers.",
        ]
        for pattern in wanted {
            lines.append(pattern == .all && methods.isEmpty ? "* (every method)" : "\(pattern)")
            lines += self.lines(about: pattern)
        }
        return lines.joined(separator: "\n")
    }

    private func lines(about pattern: MethodPattern) -> [String] {
        var lines: [String] = []
        for (index, rule) in rules.enumerated()
        where rule.methods.contains(where: { $0.covers(pattern) }) {
            for caller in rule.callers {
                let access = rule.isAllowed ? "allow" : "deny "
                if caller == .anyone {
                    return lines + [
                        "  \(access)  \(Self.padded(lines.isEmpty ? "anyone" : "anyone else"))"
                            + "  rule \(index + 1)"
                    ]
                }
                let shown = PrintableText.escaping("\(caller)", PrintableText.swiftEscape)
                lines.append("  \(access)  \(Self.padded(shown))  rule \(index + 1)")
            }
        }
        return lines + ["  deny   anyone else"]
    }

    private static func padded(_ text: String) -> String {
        text + String(repeating: " ", count: max(0, 40 - text.count))
    }
}

extension [MethodPattern] {
    /// The elements without repetitions, in their order.
    fileprivate var firstOfEach: [MethodPattern] {
        var seen: Set<MethodPattern> = []
        return filter { seen.insert($0).inserted }
    }
}
