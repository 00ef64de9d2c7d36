/// Why no project was written, in words for the person who typed the command.
struct GeneratorFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line, without the program's name and without a full stop.
    let description: String
    /// What another program said about it, line by line as it said it; shown first.
    let details: [String]

    init(_ description: String, details: [String] = []) {
        self.description = description
        self.details = details
    }
}
