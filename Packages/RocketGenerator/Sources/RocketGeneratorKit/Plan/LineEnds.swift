/// Line ends of a text file: editors and git's autocrlf turn line feeds into CR LF.
enum LineEnds: Equatable {
    case lf
    case crlf

    /// Returns the line end of the first line.
    static func of(_ text: String) -> LineEnds {
        text.first(where: \.isNewline) == "\r\n" ? .crlf : .lf
    }

    /// Returns the text with line feeds alone, by which texts are compared and hashed.
    static func normalized(_ text: some StringProtocol) -> String {
        String(text).replacing("\r\n", with: "\n")
    }

    /// Returns the text with these line ends.
    func applied(to text: String) -> String {
        let text = Self.normalized(text)
        return self == .lf ? text : text.replacing("\n", with: "\r\n")
    }
}
