/// One element of a parsed XML file, with what is in it. A plain value.
struct XMLElement: Equatable, Sendable {
    let name: String
    /// Where its `<` stands, from 1; columns count characters.
    let line: Int
    let column: Int
    /// Its own text, trimmed, white space within condensed.
    let text: String
    /// The first attribute's name, if it has one: no configuration element has any.
    let attribute: String?
    var children: [XMLElement] = []

    /// The deepest nesting in it, itself being 1.
    var depth: Int { 1 + (children.map(\.depth).max() ?? 0) }
}

/// Text that is no XML, or more of it than we read: where and why.
struct XMLFailure: Error, Equatable, Sendable {
    /// From 1; 0 where the place is not known.
    let line: Int
    let column: Int
    let reason: String
}

/// What the reader accepts. tinyxml itself has no limits and recurses per level of nesting.
enum XMLLimits {
    static let bytes = 1 << 20
    static let depth = 32
    static let elements = 20_000
    /// tinyxml searches all attributes of an element for each of them.
    static let tagBytes = 1024
}
