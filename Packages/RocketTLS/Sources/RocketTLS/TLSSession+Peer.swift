import COpenSSL
import CRocketTLS
public import RocketBase

extension TLSSession {
    /// The certificate that the peer has shown; nil: it has none, or the handshake has not ended. Read
    /// from OpenSSL each time: keep it.
    public var peerCertificate: X509Certificate? {
        guard phase != .handshake, let certificate = unsafe SSL_get0_peer_certificate(ssl) else {
            return nil
        }
        return unsafe X509Certificate(certificate)
    }

    /// `none` during the handshake, and of a client that was not asked for a certificate. Read from
    /// OpenSSL each time: keep it.
    public var peerIdentity: PeerIdentity { peerCertificate.map { .certificate($0) } ?? .none }

    /// Whether OpenSSL holds a part of a record.
    public var hasPartialInput: Bool {
        phase == .open && (unsafe rocket_tls_has_partial_record(ssl)) == 1
    }

    /// The protocol that both sides have agreed on by ALPN; nil: none.
    public var negotiatedProtocol: String? {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &bytes, &count)
        guard count > 0 else { return nil }
        return unsafe String(
            decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
    }

    /// `TLSv1.3`.
    public var version: String { unsafe String(cString: SSL_get_version(ssl)) }

    /// `TLS_AES_256_GCM_SHA384`; empty during the handshake.
    public var cipher: String {
        guard let cipher = unsafe SSL_get_current_cipher(ssl),
            let name = unsafe SSL_CIPHER_get_name(cipher)
        else { return "" }
        return unsafe String(cString: name)
    }

    /// Whether the handshake resumed an earlier session.
    public var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// What a client needs to resume the session with less work; nil: the server has sent nothing of
    /// the kind yet. With TLS 1.3 it comes behind the handshake, so ask late.
    public var ticket: TLSTicket? {
        guard phase != .handshake, let session = unsafe SSL_get1_session(ssl) else { return nil }
        if unsafe SSL_SESSION_is_resumable(session) != 1 {
            unsafe SSL_SESSION_free(session)
            return nil
        }
        return unsafe TLSTicket(session)
    }

    /// Compares the server's certificate with what is expected beyond its names.
    func checkExpectation() throws(TransportSecurityError) {
        guard case .client(let configuration) = context.role else { return }
        let certificate = unsafe SSL_get0_peer_certificate(ssl).map { unsafe X509Certificate($0) }
        if case .fingerprint(let text) = configuration.trust,
            certificate?.fingerprint != X509Fingerprint(text)
        {
            throw TransportSecurityError(
                .certificate,
                "the server's certificate has the fingerprint "
                    + "\(certificate?.fingerprint.description ?? "of none"), expected was \(text)")
        }
        if let uri = configuration.name, uri.contains("://"),
            certificate?.uris.contains(uri) != true
        {
            throw TransportSecurityError(
                .certificate,
                "the server's certificate \(certificate?.subject ?? ""): it is valid for "
                    + "\(certificate?.nameText ?? "no name"), expected was \(uri)")
        }
    }

    /// Why a handshake has failed.
    func handshakeError() -> TransportSecurityError {
        let result = unsafe SSL_get_verify_result(ssl)
        // Where a fingerprint is trusted, OpenSSL's opinion of the certificate is not the reason.
        let isVerified = unsafe SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE
        if result == X509_V_OK || !isVerified { return TransportSecurityError.last(.handshake) }
        ERR_clear_error()
        let refused = unsafe handle.io.pointee.refused.map { unsafe X509Certificate($0) }
        let (peer, use) =
            context.role.isServer ? ("client", "clientAuth") : ("server", "serverAuth")
        var reason = unsafe String(cString: X509_verify_cert_error_string(result))
        switch result {
        case Int(X509_V_ERR_CERT_HAS_EXPIRED):
            if let refused { reason = "it has expired on \(dateText(refused.notAfter))" }
        case Int(X509_V_ERR_CERT_NOT_YET_VALID):
            if let refused { reason = "it is not valid before \(dateText(refused.notBefore))" }
        case Int(X509_V_ERR_HOSTNAME_MISMATCH), Int(X509_V_ERR_IP_ADDRESS_MISMATCH):
            let names = refused.map { $0.names.isEmpty ? "no name" : $0.nameText } ?? "other names"
            reason =
                "it is valid for \(names), expected was \(handle.expectedName ?? "") (\(reason))"
        case Int(X509_V_ERR_INVALID_PURPOSE):
            reason =
                "it is not meant for a \(peer): its extended key usage lacks \(use) (\(reason))"
        case Int(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT), Int(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN),
            Int(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT),
            Int(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY):
            reason = "it is not of an authority that is trusted here (\(reason))"
        default: break
        }
        let subject = refused.map { " \($0.subject)" } ?? ""
        let what = unsafe handle.io.pointee.refused_depth == 0 ? "the" : "an authority of the"
        return TransportSecurityError(
            .certificate, "\(what) \(peer)'s certificate\(subject): \(reason)")
    }
}

extension SessionHandle {
    /// Sets what a client expects of the server's certificate.
    func expect(
        _ configuration: TLSClientConfiguration, _ host: String?
    ) throws(TransportSecurityError) {
        // Compared when the handshake has ended.
        if configuration.name?.contains("://") == true { return }
        guard let name = configuration.name ?? host else {
            if case .fingerprint = configuration.trust { return }
            throw TransportSecurityError(
                .configuration,
                "the server's name is unknown: set one that its certificate is valid for, or its fingerprint"
            )
        }
        expectedName = name
        let isAddress = unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1
        ERR_clear_error()
        if isAddress { return }
        guard unsafe rocket_tls_expect_name(ssl, name) == 1 else {
            throw TransportSecurityError.last(.configuration, "the server's name '\(name)': ")
        }
    }
}

// SAFETY: OpenSSL counts references to a session atomically, and does not change one that has been
// taken out of its connection.

/// A session that a client can resume. Immutable; any thread.
@safe
public final class TLSTicket: @unchecked Sendable {
    let session: OpaquePointer

    /// - Parameter session: owned by the ticket from now on.
    init(_ session: OpaquePointer) { unsafe self.session = session }

    deinit { unsafe SSL_SESSION_free(session) }
}
