/// TLS of the connections to a server that this process calls.
public struct StubTLSConfig: ConfigSection, Hashable {
    /// The authorities whose certificates the server may have. Empty: those that the system
    /// trusts.
    ///
    /// `stubs/rpc_server/tls/ca`: A path, absolute or relative to this file's folder, or
    /// ${CREDENTIALS_DIRECTORY}/NAME; or empty. Default none. Changes live.
    public var ca: String?
    /// The certificate that proves this process to the server, followed in its file by those of
    /// the authorities between it and one that the server trusts.
    ///
    /// `stubs/rpc_server/tls/certificate`: A path, absolute or relative to this file's folder,
    /// or ${CREDENTIALS_DIRECTORY}/NAME; or empty. Default none. Changes live.
    public var certificate: String?
    /// The private key of the certificate, without passphrase. Only its owner may read and
    /// write it (0600); a file of root's may also be readable by its group (0640).
    ///
    /// `stubs/rpc_server/tls/key`: A path, absolute or relative to this file's folder, or
    /// ${CREDENTIALS_DIRECTORY}/NAME; or empty. Default none. Changes live.
    public var key: String?
    /// The DNS name, the IP address or the URI that the server's certificate must be valid for.
    /// Empty: the address that is connected to; it is required for Unix sockets unless there is
    /// a fingerprint.
    ///
    /// `stubs/rpc_server/tls/name`: A text of 1 to 255 characters; or empty. Default none.
    /// Changes live.
    public var name: String?
    /// The SHA-256 of the server's certificate (openssl x509 -noout -fingerprint -sha256), in
    /// place of ca and name: only this certificate is trusted, whatever its names and dates.
    ///
    /// `stubs/rpc_server/tls/fingerprint`: 64 hexadecimal digits, with or without colons
    /// between the bytes; or empty. Default none. Changes live.
    public var fingerprint: X509Fingerprint?
    /// The oldest version of TLS that is spoken.
    ///
    /// `stubs/rpc_server/tls/min_version`: One of 1.2, 1.3. Default 1.2. Changes live.
    public var minVersion = TLSVersion.tls12

    /// The protocols of ALPN (RFC 7301), best first. No element of the file: the wires of the
    /// program. Default `rocket/1`.
    public var applicationProtocols = ["rocket/1"]

    /// All fields have their defaults: the system's authorities are trusted.
    public init() {}
}

extension StubTLSConfig {
    /// The schema of the `tls` element below `stubs/rpc_server`.
    public static let schema = ConfigSchema<Self>(
        "tls",
        "TLS of the connections to the server. The element turns it on, also if it is empty, for "
            + "all of the server's addresses. Files are PEM, and are read again as those of "
            + "root/server/tls. It takes the product RocketTLS.",
        [
            .init(
                "ca", \.ca, .optional(.credentialPath), .live,
                "The authorities whose certificates the server may have. Empty: those that the "
                    + "system trusts."),
            .init(
                "certificate", \.certificate, .optional(.credentialPath), .live,
                "The certificate that proves this process to the server, followed in its file by "
                    + "those of the authorities between it and one that the server trusts."),
            .init(
                "key", \.key, .optional(.credentialPath), .live,
                "The private key of the certificate, without passphrase. Only its owner may read "
                    + "and write it (0600); a file of root's may also be readable by its group "
                    + "(0640)."),
            .init(
                "name", \.name, .optional(.text()), .live,
                "The DNS name, the IP address or the URI that the server's certificate must be "
                    + "valid for. Empty: the address that is connected to; it is required for Unix "
                    + "sockets unless there is a fingerprint."),
            .init(
                "fingerprint", \.fingerprint, .optional(X509Fingerprint.type), .live,
                "The SHA-256 of the server's certificate (openssl x509 -noout -fingerprint -sha256), "
                    + "in place of ca and name: only this certificate is trusted, whatever its names "
                    + "and dates."),
            .init(
                "min_version", \.minVersion, TLSVersion.type, .live,
                "The oldest version of TLS that is spoken."),
        ]
    ) { tls in
        if tls.certificate != nil, tls.key == nil {
            return "certificate is set, but key is missing"
        }
        if tls.key != nil, tls.certificate == nil {
            return "key is set, but certificate is missing"
        }
        if tls.fingerprint != nil, tls.ca != nil || tls.name != nil {
            return
                "fingerprint is set, so \(tls.ca == nil ? "name" : "ca") has no effect: remove one"
        }
        return nil
    }
}

extension X509Fingerprint {
    static let type = ConfigType<Self>(
        allowed: "64 hexadecimal digits, with or without colons between the bytes",
        parse: { X509Fingerprint($0) }, text: { $0.description })
}
