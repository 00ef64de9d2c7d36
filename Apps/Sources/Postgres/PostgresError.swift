/// Why a statement failed, or a connection. A value.
public struct PostgresError: Error, Hashable, Sendable, CustomStringConvertible {
    /// SQLSTATE, five characters; empty: the connection has failed.
    public let state: String
    /// The server's or libpq's text in one line, without details, which have values of rows.
    public let message: String
    /// The function of the server that has reported it, which is the same in all languages of the
    /// server's texts; empty: it is not the server's.
    public let routine: String

    /// An error with these values.
    public init(state: String = "", message: String, routine: String = "") {
        self.state = state
        self.message = message
        self.routine = routine
    }

    /// The class of errors: the first two characters of SQLSTATE.
    public var stateClass: Substring { state.prefix(2) }

    /// The text, and the code if there is one.
    public var description: String {
        state.isEmpty ? message : "\(message) (SQLSTATE \(state))"
    }

    /// Text of libpq, which has several lines, each with its own end.
    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline)
            .map { $0.drop { $0 == " " || $0 == "\t" } }
            .filter { !$0.hasPrefix("Is the server running") }
            .joined(separator: "; ")
    }
}
