import COpenSSL
import RocketSystem

/// Why a certificate, a key, a context or a session can't be used. A value.
public struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of errors.
    public enum Kind: String, Hashable, Sendable {
        /// A file of the configuration can't be read or holds nothing usable.
        case file
        /// A certificate has expired, or its time has not begun.
        case dates
        /// The configuration contradicts itself.
        case configuration
        /// The peer is no TLS peer of a version that is allowed, or broke the protocol.
        case handshake
        /// The peer's certificate is not trusted, or is not that of the peer that is expected.
        case certificate
        /// Bytes of an established session are invalid.
        case stream
        /// There is no memory or no randomness.
        case resources
    }

    /// The kind.
    public let kind: Kind
    /// What is wrong, where, and what was expected; of OpenSSL's errors the reason only.
    public let text: String

    /// Creates one from its parts.
    public init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    /// `TLS certificate: …`.
    public var description: String { "TLS \(kind.rawValue): \(text)" }

    /// Takes what OpenSSL has reported on this thread since the last time: its first error, which is
    /// the cause of the later ones.
    static func last(_ kind: Kind, _ prefix: String = "") -> TLSError {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return TLSError(kind, prefix + "no reason was given") }
        // An error of the system: ERR_SYSTEM_ERROR(3).
        if code & 0x8000_0000 != 0 {
            return TLSError(kind, prefix + "\(Errno(rawValue: Int32(code & 0x7FFF_FFFF)))")
        }
        guard let reason = unsafe ERR_reason_error_string(code) else {
            return TLSError(kind, prefix + "error \(code)")
        }
        return TLSError(kind, prefix + (unsafe String(cString: reason)))
    }
}
