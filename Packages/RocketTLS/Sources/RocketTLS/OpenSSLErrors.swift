import COpenSSL
import RocketBase
import RocketSystem

extension TransportSecurityError {
    /// Takes what OpenSSL has reported on this thread since the last time: its first error, which is
    /// the cause of the later ones.
    static func last(_ kind: Kind, _ prefix: String = "") -> TransportSecurityError {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return TransportSecurityError(kind, prefix + "no reason was given") }
        // An error of the system: ERR_SYSTEM_ERROR(3).
        if code & 0x8000_0000 != 0 {
            return TransportSecurityError(
                kind, prefix + "\(Errno(rawValue: Int32(code & 0x7FFF_FFFF)))")
        }
        guard let reason = unsafe ERR_reason_error_string(code) else {
            return TransportSecurityError(kind, prefix + "error \(code)")
        }
        let text = unsafe String(cString: reason)
        guard let meaning = OpenSSLReason.meaning(of: code) else {
            return TransportSecurityError(kind, prefix + text)
        }
        return TransportSecurityError(kind, "\(prefix)\(meaning) (\(text))")
    }
}

/// What the reasons of OpenSSL mean for somebody who has never seen its sources.
enum OpenSSLReason {
    /// Returns the meaning of an error code; nil: OpenSSL's own text has to do.
    static func meaning(of code: UInt) -> String? {
        let reason = ERR_GET_REASON(code)
        switch ERR_GET_LIB(code) {
        case ERR_LIB_SSL where reason >= SSL_AD_REASON_OFFSET:
            return alert(reason - SSL_AD_REASON_OFFSET)
        case ERR_LIB_SSL: return handshake(reason)
        case ERR_LIB_X509: return certificateFile(reason)
        case ERR_LIB_PEM where reason == PEM_R_NO_START_LINE:
            return "it has no certificate in PEM form"
        case ERR_LIB_PEM where reason == PEM_R_BAD_PASSWORD_READ:
            return "it has a passphrase; expected is a key without one"
        case ERR_LIB_OSSL_DECODER: return "it has no private key in PEM form"
        default: return nil
        }
    }

    /// An alert that the peer has sent, by its number (RFC 8446, 6.2).
    private static func alert(_ number: Int32) -> String? {
        switch number {
        case SSL_AD_HANDSHAKE_FAILURE:
            "the peer refuses the handshake: no version or cipher in common, or it demands a certificate"
        case SSL_AD_BAD_CERTIFICATE, SSL_AD_CERTIFICATE_UNKNOWN:
            "the peer refuses our certificate"
        case SSL_AD_UNSUPPORTED_CERTIFICATE:
            "the peer refuses our certificate: it is not meant for this side of a connection"
        case SSL_AD_CERTIFICATE_REVOKED: "the peer refuses our certificate: it is revoked"
        case SSL_AD_CERTIFICATE_EXPIRED: "the peer refuses our certificate: it has expired"
        case SSL_AD_UNKNOWN_CA: "the peer does not trust the authority of our certificate"
        case SSL_AD_CERTIFICATE_REQUIRED: "the peer demands a certificate, and we have none"
        case SSL_AD_PROTOCOL_VERSION: "the peer speaks no version of TLS that we offer"
        case SSL_AD_UNRECOGNIZED_NAME: "the peer has no certificate for the name that we ask for"
        case SSL_AD_NO_APPLICATION_PROTOCOL: "the peer speaks no protocol that we offer by ALPN"
        default: nil
        }
    }

    private static func handshake(_ reason: Int32) -> String? {
        switch reason {
        case SSL_R_WRONG_VERSION_NUMBER: "what the peer sends is not TLS; it may speak plaintext"
        case SSL_R_HTTP_REQUEST: "what the peer sends is HTTP without TLS"
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            "the client has no certificate, and one is required"
        case SSL_R_NO_APPLICATION_PROTOCOL: "the peer offers no protocol of ours by ALPN"
        case SSL_R_UNSUPPORTED_PROTOCOL: "the peer speaks no version of TLS that is allowed here"
        default: nil
        }
    }

    private static func certificateFile(_ reason: Int32) -> String? {
        switch reason {
        case X509_R_KEY_VALUES_MISMATCH, X509_R_KEY_TYPE_MISMATCH:
            "the key is not that of the certificate"
        case X509_R_NO_CERTIFICATE_OR_CRL_FOUND: "it has no certificate in PEM form"
        default: nil
        }
    }
}

/// Forgets what earlier functions have reported on this thread: `SSL_get_error` would take it for the
/// cause of the next failure. Seldom there is anything, and looking costs less than clearing.
func clearErrors() {
    if ERR_peek_error() != 0 { ERR_clear_error() }
}
