/// The versions of TLS that can be demanded.
public enum TLSVersion: String, Hashable, Sendable, Comparable, CaseIterable {
    /// TLS 1.2 (RFC 5246).
    case tls12 = "1.2"
    /// TLS 1.3 (RFC 8446).
    case tls13 = "1.3"

    /// An older version is less than a newer one.
    public static func < (a: TLSVersion, b: TLSVersion) -> Bool { a.rawValue < b.rawValue }

    static let type = ConfigType.choice(of: Array(allCases)) { $0.rawValue }
}

/// Whether clients must prove who they are.
public enum ClientAuthentication: String, Hashable, Sendable, CaseIterable {
    /// Clients are not asked for certificates.
    case none
    /// A client may have no certificate; a certificate that is not trusted ends the handshake.
    case optional
    /// A client without a trusted certificate is refused.
    case required

    static let type = ConfigType.choice(of: Array(allCases)) { $0.rawValue }
}
