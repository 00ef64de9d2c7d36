import RocketGeneratorPlugin

extension [String] {
    /// The lines of a text, such as a multi-line literal.
    init(text: String) {
        self = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// Each line with these blanks before it; empty ones stay empty.
    func indented(by columns: Int) -> Lines {
        let blanks = String(repeating: " ", count: columns)
        return map { $0.isEmpty ? "" : blanks + $0 }
    }
}
