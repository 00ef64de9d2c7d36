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
        return TransportSecurityError(kind, prefix + (unsafe String(cString: reason)))
    }
}

/// Forgets what earlier functions have reported on this thread: `SSL_get_error` would take it for the
/// cause of the next failure. Seldom there is anything, and looking costs less than clearing.
func clearErrors() {
    if ERR_peek_error() != 0 { ERR_clear_error() }
}
