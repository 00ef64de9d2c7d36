import CRocketTLS
public import RocketBase

/// A private key of Ed25519 (RFC 8032), which signs. A value; any thread.
public struct Ed25519Key: Sendable {
    /// The bytes of a seed, and of a public key.
    public static let byteCount = 32

    /// The public key, 32 bytes.
    public let publicKey: [UInt8]
    private let seed: [UInt8]

    /// Creates the key of a seed.
    ///
    /// - Parameter seed: 32 secret bytes.
    /// - Throws: `file` for another number of bytes, `resources` where OpenSSL has no memory.
    public init(seed: [UInt8]) throws(TransportSecurityError) {
        guard seed.count == Self.byteCount else {
            throw TransportSecurityError(
                .file, "a seed of Ed25519 has \(Self.byteCount) bytes, this one \(seed.count)")
        }
        var key = [UInt8](repeating: 0, count: Self.byteCount)
        guard unsafe rocket_tls_ed25519_public(seed, &key) == 1 else {
            throw TransportSecurityError.last(.resources)
        }
        self.seed = seed
        publicKey = key
    }

    /// Returns the signature of a message, 64 bytes.
    ///
    /// - Throws: `resources` where OpenSSL has no memory.
    public func signature(of message: [UInt8]) throws(TransportSecurityError) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Int(ROCKET_ED25519_SIGNATURE_BYTES))
        guard unsafe rocket_tls_ed25519_sign(seed, message, message.count, &signature) == 1 else {
            throw TransportSecurityError.last(.resources)
        }
        return signature
    }
}
