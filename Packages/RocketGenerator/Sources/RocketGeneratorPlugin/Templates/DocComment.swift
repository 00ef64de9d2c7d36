/// Comments above declarations.
package enum DocComment {
    /// The lines as a `///` comment; nothing for none.
    package static func lines(_ text: [String]) -> Lines {
        text.map { $0.isEmpty ? "///" : "/// \($0)" }
    }

    /// The .proto's own comment, or `fallback` where it has none; then, for what is deprecated,
    /// a paragraph that says so.
    package static func lines(_ comment: [String], or fallback: String, isDeprecated: Bool) -> Lines
    {
        let text = comment.isEmpty ? [fallback] : comment
        return lines(isDeprecated ? text + ["", "Deprecated in the .proto file."] : text)
    }

    /// `@available` for what callers should leave. Only client code bears it: a server has to go
    /// on implementing a deprecated method as long as there are callers.
    package static func deprecation(of fullName: String, isDeprecated: Bool) -> Lines {
        guard isDeprecated else { return [] }
        return ["@available(*, deprecated, message: \"\(fullName) is deprecated in its .proto\")"]
    }
}
