public import RocketSystem

/// Who the caller is that a verified token names. A value.
public struct TokenIdentity: Hashable, Sendable {
    /// Whom the token was issued to.
    public let subject: String
    /// What else the token says, by name.
    public let claims: [String: String]
    /// Until when the token is valid; nil: until its issuer says otherwise.
    public let expires: WallTime?

    /// Creates one from what was read of a token.
    public init(subject: String, claims: [String: String] = [:], expires: WallTime? = nil) {
        self.subject = subject
        self.claims = claims
        self.expires = expires
    }
}

extension TokenIdentity: CustomStringConvertible {
    /// Text for log lines: `token:SUBJECT`. Claims may be private, so they are left out.
    public var description: String { "token:\(subject)" }
}
