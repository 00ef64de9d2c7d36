/// A subject that was checked: tokens with dots between them, such as `chat.main`. A value, made once
/// and used for many messages.
public struct NATSSubject: Hashable, Sendable, CustomStringConvertible {
    /// The most bytes of a subject: with them any line of a message fits into a server's.
    public static let maxBytes = 1024

    /// The subject.
    public let description: String
    /// Whether it has `*` or `>`: it is good for subscribing only.
    public let hasWildcards: Bool
    let utf8: [UInt8]

    /// Checks a subject.
    ///
    /// - Throws: `NATSConfigurationError` with what is wrong: an empty token, a blank or a control
    ///   character, a `>` that is not the last token, or more than `maxBytes`.
    public init(_ text: String) throws(NATSConfigurationError) {
        utf8 = Array(text.utf8)
        description = text
        guard utf8.count <= Self.maxBytes else {
            throw NATSConfigurationError(
                "a subject has \(utf8.count) bytes, allowed are \(Self.maxBytes)")
        }
        var hasWildcards = false
        let tokens = utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for (index, token) in tokens.enumerated() {
            if let problem = Self.problem(with: token, isLast: index == tokens.count - 1) {
                throw NATSConfigurationError("the subject \"\(text)\": \(problem)")
            }
            hasWildcards = hasWildcards || token == [UInt8(ascii: "*")] || token == [Self.rest]
        }
        self.hasWildcards = hasWildcards
    }

    private static let rest = UInt8(ascii: ">")

    private static func problem(with token: ArraySlice<UInt8>, isLast: Bool) -> String? {
        if token.isEmpty { return "a token is empty" }
        if token == [rest], !isLast { return "> is not its last token" }
        return token.contains { $0 <= 0x20 || $0 == 0x7F }
            ? "it has a blank or a control character" : nil
    }
}

/// What is wrong with a value that a program or its configuration gives a NATS client. A value.
public struct NATSConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, and what is expected.
    public let description: String

    init(_ description: String) { self.description = description }
}
