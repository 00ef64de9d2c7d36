public import ArgumentParser
public import RocketBase
import RocketTLS

/// The options of a client that calls a server by its address: `--tls`, `--tls-ca` and so on. Any of
/// them turns TLS on.
public struct TLSOptions: ParsableArguments {
    @Flag(
        name: .customLong("tls"),
        help: "Connect by TLS. The other options of TLS turn it on, too.")
    var isOn = false

    @Option(
        name: .customLong("tls-ca"),
        help: ArgumentHelp(
            "The PEM file of the authorities whose certificates the server may have.",
            discussion: "Default: those that the system trusts.", valueName: "file"),
        completion: .file())
    var ca: String?

    @Option(
        name: .customLong("tls-cert"),
        help: ArgumentHelp(
            "The PEM file of the certificate that proves this client to the server.",
            valueName: "file"),
        completion: .file())
    var certificate: String?

    @Option(
        name: .customLong("tls-key"),
        help: ArgumentHelp(
            "The PEM file of its private key, which only its owner may read.", valueName: "file"),
        completion: .file())
    var key: String?

    @Option(
        name: .customLong("tls-name"),
        help: ArgumentHelp(
            "The DNS name, IP address or URI that the server's certificate must be valid for.",
            discussion: "Default: the host that is connected to.", valueName: "name"))
    var name: String?

    @Option(
        name: .customLong("tls-fingerprint"),
        help: ArgumentHelp(
            "The SHA-256 of the server's certificate: 64 hexadecimal digits.",
            discussion: "In place of --tls-ca and --tls-name.", valueName: "hex"),
        transform: { text in
            if let fingerprint = X509Fingerprint(text) { return fingerprint }
            throw ValidationError("it has 64 hexadecimal digits, with or without colons")
        })
    var fingerprint: X509Fingerprint?

    /// Every option at its default, for the parser.
    public init() {}

    /// Checks that options fit together.
    public func validate() throws {
        if certificate != nil, key == nil { throw ValidationError("--tls-cert needs --tls-key") }
        if key != nil, certificate == nil { throw ValidationError("--tls-key needs --tls-cert") }
        if fingerprint != nil, ca != nil || name != nil {
            throw ValidationError(
                "--tls-fingerprint goes without \(ca == nil ? "--tls-name" : "--tls-ca")")
        }
    }

    /// What the options say; nil: there are none.
    public var settings: StubTLSConfig? {
        var tls = StubTLSConfig()
        tls.ca = ca
        tls.certificate = certificate
        tls.key = key
        tls.name = name
        tls.fingerprint = fingerprint
        return isOn || tls != StubTLSConfig() ? tls : nil
    }

    /// Returns what protects the connections that the options ask for; nil: nothing. Reads files.
    ///
    /// - Throws: `ProgramFailure` (configuration) with the file that can't be used.
    public func security() throws(ProgramFailure) -> (any ClientTransportSecurity)? {
        guard let settings else { return nil }
        do throws(TransportSecurityError) {
            return try TLSProvider().clientSecurity(settings, at: "--tls")
        } catch { throw ProgramFailure("\(error)", status: .configuration) }
    }
}
