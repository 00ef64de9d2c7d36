/// Second names for messages whose own names begin lower case.
enum MessageNamesTemplate {
    static func lines(_ names: [MessageName], level: AccessLevel) -> Lines {
        .joined(names.map { line($0, level: level) })
    }

    private static func line(_ name: MessageName, level: AccessLevel) -> Lines {
        DocComment.lines(["`\(name.original)`, written as Swift writes types."])
            + ["\(level.modifier)typealias \(name.alias) = \(name.original)"]
    }
}
