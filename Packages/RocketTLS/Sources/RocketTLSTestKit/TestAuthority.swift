import CRocketTLSTestKit
public import RocketTLS

/// A certificate authority for tests, whose files are in a folder. Any thread.
public struct TestAuthority: Sendable {
    private let folder: String

    /// Creates the authority's own files: `ca.crt` and `ca.key`. Traps where the folder can't be
    /// written.
    public init(inFolder folder: String) {
        self.folder = folder
        // Two authorities of one name would be told apart by their signatures only.
        make("ca", commonName: "ca of \(folder)", names: nil, issuer: nil, from: -3600, to: 86_400)
    }

    /// The PEM file of its certificate.
    public var certificate: String { folder + "/ca.crt" }

    /// Issues a certificate.
    ///
    /// - Parameters:
    ///   - name: of the files, and the common name.
    ///   - names: as `DNS:localhost,IP:127.0.0.1,URI:spiffe://test/client`; nil: none.
    ///   - from: when it begins to be valid, in seconds from now.
    ///   - to: when that ends.
    public func issue(
        _ name: String, names: String? = "DNS:localhost,IP:127.0.0.1", from: Int64 = -3600,
        to: Int64 = 86_400
    ) -> TLSIdentity {
        make(name, commonName: name, names: names, issuer: folder + "/ca", from: from, to: to)
        return TLSIdentity(
            certificate: "\(folder)/\(name).crt", key: "\(folder)/\(name).key")
    }

    private func make(
        _ name: String, commonName: String, names: String?, issuer: String?, from: Int64, to: Int64
    ) {
        let isMade = unsafe rocket_tls_test_certificate(
            "\(folder)/\(name)", String(commonName.suffix(60)), names, issuer, from, to)
        precondition(isMade == 1, "no certificate for \(name) can be made in \(folder)")
    }
}
