/// TLS of a server, or of one of its listeners.
public struct ServerTLSConfig: ConfigSection, Hashable {
    /// The certificates of the server, each followed in its file by those of the authorities
    /// between it and a trusted one. Of several, a client gets the first one that is valid for
    /// the name it asks for (SNI), else the first one. Required.
    ///
    /// `server/tls/certificate`: 1 to 16 values, separated by commas; each a path, absolute or
    /// relative to this file's folder, or ${CREDENTIALS_DIRECTORY}/NAME. Default none. Changes
    /// live.
    public var certificate: [String] = []
    /// The private keys, one for each certificate in the same order, without passphrase. Only
    /// their owner may read and write them (0600); a file of root's may also be readable by its
    /// group (0640). Required.
    ///
    /// `server/tls/key`: 1 to 16 values, separated by commas; each a path, absolute or relative
    /// to this file's folder, or ${CREDENTIALS_DIRECTORY}/NAME. Default none. Changes live.
    public var key: [String] = []
    /// The authorities whose certificates clients may have. Clients must have one then, unless
    /// client_auth says otherwise.
    ///
    /// `server/tls/client_ca`: A path, absolute or relative to this file's folder, or
    /// ${CREDENTIALS_DIRECTORY}/NAME; or empty. Default none. Changes live.
    public var clientCA: String?
    /// Whether clients must have certificates: none (they are not asked), optional (a
    /// certificate that is not trusted is refused), required. Empty: required with client_ca,
    /// none without.
    ///
    /// `server/tls/client_auth`: One of none, optional, required; or empty. Default none.
    /// Changes live.
    public var clientAuth: ClientAuthentication?
    /// The oldest version of TLS that is spoken.
    ///
    /// `server/tls/min_version`: One of 1.2, 1.3. Default 1.2. Changes live.
    public var minVersion = TLSVersion.tls12

    /// The protocols of ALPN (RFC 7301), best first. No element of the file: the wires of the
    /// program. Default `rocket/1`.
    public var applicationProtocols = ["rocket/1"]

    /// All fields have their defaults; a certificate and its key must be set.
    public init() {}

    /// A server with one certificate and its key.
    public init(certificate: String, key: String) {
        self.certificate = [certificate]
        self.key = [key]
    }

    /// Whether clients must prove who they are: `clientAuth`, or what its absence means.
    public var clientAuthentication: ClientAuthentication {
        clientAuth ?? (clientCA == nil ? .none : .required)
    }
}

extension ServerTLSConfig {
    /// The schema of the `tls` element below `server`.
    public static let schema = ConfigSchema<Self>(
        "tls",
        "TLS of the server. The element turns it on for all listeners on IP addresses that have no "
            + "listener element; Unix sockets stay without. A reload (SIGHUP, or a change of a file "
            + "that is named here) reads all files again and applies them to new connections: all of "
            + "them, or none if one is unusable. Files are PEM. It takes the product RocketTLS.",
        [
            .init(
                "certificate", \.certificate, .list(of: .credentialPath, count: 1...16), .live,
                "The certificates of the server, each followed in its file by those of the "
                    + "authorities between it and a trusted one. Of several, a client gets the first "
                    + "one that is valid for the name it asks for (SNI), else the first one. "
                    + "Required."),
            .init(
                "key", \.key, .list(of: .credentialPath, count: 1...16), .live,
                "The private keys, one for each certificate in the same order, without passphrase. "
                    + "Only their owner may read and write them (0600); a file of root's may also be "
                    + "readable by its group (0640). Required."),
            .init(
                "client_ca", \.clientCA, .optional(.credentialPath), .live,
                "The authorities whose certificates clients may have. Clients must have one then, "
                    + "unless client_auth says otherwise."),
            .init(
                "client_auth", \.clientAuth, .optional(ClientAuthentication.type), .live,
                "Whether clients must have certificates: none (they are not asked), optional (a "
                    + "certificate that is not trusted is refused), required. Empty: required with "
                    + "client_ca, none without."),
            .init(
                "min_version", \.minVersion, TLSVersion.type, .live,
                "The oldest version of TLS that is spoken."),
        ]
    ) { tls in
        if tls.certificate.isEmpty { return "certificate is missing" }
        if tls.key.isEmpty { return "key is missing" }
        if tls.certificate.count != tls.key.count {
            return "certificate has \(tls.certificate.count) values and key has \(tls.key.count); "
                + "each certificate needs its key, in the same order"
        }
        if tls.clientCA == nil, let auth = tls.clientAuth, auth != .none {
            return "client_auth is \(auth.rawValue), but client_ca is missing"
        }
        return nil
    }
}
