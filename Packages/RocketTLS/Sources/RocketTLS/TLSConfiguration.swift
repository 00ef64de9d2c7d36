public import RocketBase

/// A certificate with its key: paths of two PEM files. A value.
public struct TLSIdentity: Hashable, Sendable {
    /// The certificate, followed by those of the authorities between it and a trusted one.
    public var certificate: String
    /// The private key, without a passphrase.
    public var key: String

    /// Creates one from its paths.
    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// What a server proves and demands. A value.
public struct TLSServerConfiguration: Hashable, Sendable {
    /// The server's certificates: the first for clients that ask for no name or for one that none is
    /// valid for. At least one.
    public var identities: [TLSIdentity]
    /// The PEM file of the authorities whose certificates clients may have. nil: none are trusted.
    public var clientCA: String?
    /// Default: required where there is a `clientCA`, none otherwise.
    public var clientAuthentication: ClientAuthentication
    /// The oldest version that is spoken. Default 1.2.
    public var minimumVersion = TLSVersion.tls12
    /// The protocols of ALPN (RFC 7301), best first. Clients that offer others only are refused;
    /// clients that offer none are not. Default `rocket/1`.
    public var protocols = ["rocket/1"]

    /// Creates one with defaults.
    public init(identities: [TLSIdentity], clientCA: String? = nil) {
        self.identities = identities
        self.clientCA = clientCA
        clientAuthentication = clientCA == nil ? .none : .required
    }
}

/// What a client proves and demands. A value.
public struct TLSClientConfiguration: Hashable, Sendable {
    /// Whose certificates are trusted.
    public enum Trust: Hashable, Sendable {
        /// Those of the authorities that the system trusts.
        case system
        /// Those of the authorities of a PEM file.
        case file(String)
        /// One certificate, by the SHA-256 of its DER form: 64 hexadecimal digits, with or without
        /// colons. Its names and dates are not checked.
        case fingerprint(String)
    }

    /// Default: the system's.
    public var trust = Trust.system
    /// The client's certificate; nil, the default: none.
    public var identity: TLSIdentity?
    /// The DNS name, the IP address or the URI that the server's certificate must be valid for; nil,
    /// the default: the host that is connected to.
    public var name: String?
    /// The oldest version that is spoken. Default 1.2.
    public var minimumVersion = TLSVersion.tls12
    /// The protocols of ALPN that are offered, best first. Default `rocket/1`.
    public var protocols = ["rocket/1"]

    /// Creates the defaults.
    public init() {}
}
