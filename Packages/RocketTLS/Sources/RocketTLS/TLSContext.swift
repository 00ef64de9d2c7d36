import COpenSSL
import CRocketTLS
public import RocketBase
public import RocketSystem

/// One generation of a configuration, read from its files: what sessions are made from. Immutable;
/// any thread. Making one reads files and takes milliseconds: not on a loop.
public final class TLSContext: Sendable {
    /// Which side sessions of it are.
    enum Role: Sendable {
        case server, client(TLSClientConfiguration)

        var isServer: Bool { if case .server = self { true } else { false } }
    }

    let handle: ContextHandle
    let role: Role
    /// The certificates that it proves itself by, the default one first.
    public let certificates: [X509Certificate]
    /// Of the authorities in the file of those that it trusts, the one that is valid for longest; nil:
    /// there is no such file.
    public let authority: X509Certificate?

    /// Reads the files of a server.
    ///
    /// - Parameters:
    ///   - tickets: the keys by which clients resume sessions; nil: they don't.
    ///   - now: what the dates of its certificates are compared with.
    /// - Throws: `file`, `dates` or `configuration` with the path, the reason and what was expected;
    ///   `resources`.
    public init(
        _ configuration: TLSServerConfiguration, tickets: TLSTicketKeys?, now: WallTime
    ) throws(TransportSecurityError) {
        guard !configuration.identities.isEmpty else {
            throw TransportSecurityError(.configuration, "a server needs a certificate")
        }
        if configuration.clientAuthentication != .none, configuration.clientCA == nil {
            throw TransportSecurityError(
                .configuration,
                "client_auth is \(configuration.clientAuthentication.rawValue), without a client_ca"
            )
        }
        var handles: [ContextHandle] = []
        var certificates: [X509Certificate] = []
        for identity in configuration.identities {
            let handle = try ContextHandle(isServer: true, configuration.minimumVersion)
            certificates.append(try identity.use(in: handle, now: now))
            try configuration.demandCertificates(in: handle)
            try handle.set(configuration.protocols, isServer: true)
            guard unsafe rocket_tls_set_ticket_keys(handle.pointer, tickets?.pointer) == 1 else {
                throw TransportSecurityError.last(.resources)
            }
            handles.append(handle)
        }
        handle = handles.removeFirst()
        role = .server
        authority = handle.lastAuthority
        self.certificates = certificates
        if handles.isEmpty { return }
        let choices = unsafe handles.map { unsafe Optional($0.pointer) }
        guard unsafe rocket_tls_set_choices(handle.pointer, choices, choices.count) == 1 else {
            throw TransportSecurityError.last(.resources)
        }
    }

    /// Reads the files of a client.
    ///
    /// - Parameter now: what the dates of its certificate are compared with.
    /// - Throws: as for a server.
    public init(_ configuration: TLSClientConfiguration, now: WallTime)
        throws(TransportSecurityError)
    {
        handle = try ContextHandle(isServer: false, configuration.minimumVersion)
        role = .client(configuration)
        if let identity = configuration.identity {
            certificates = [try identity.use(in: handle, now: now)]
        } else {
            certificates = []
        }
        try configuration.trust(in: handle)
        // Those of the system are kept up by the system.
        if case .file = configuration.trust {
            authority = handle.lastAuthority
        } else {
            authority = nil
        }
        try handle.set(configuration.protocols, isServer: false)
    }
}

// SAFETY: OpenSSL counts references to contexts atomically, and a context is not changed once its
// owner is made.

/// OpenSSL's context, freed with it.
@safe
final class ContextHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(isServer: Bool, _ version: TLSVersion) throws(TransportSecurityError) {
        rocket_tls_prepare()
        ERR_clear_error()
        let method = unsafe isServer ? TLS_server_method() : TLS_client_method()
        guard let context = unsafe SSL_CTX_new(method) else {
            throw TransportSecurityError.last(.resources)
        }
        let number = version == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        guard unsafe rocket_tls_configure(context, number) == 1 else {
            unsafe SSL_CTX_free(context)
            throw TransportSecurityError.last(.configuration)
        }
        unsafe pointer = context
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    /// The authority that is trusted for longest.
    var lastAuthority: X509Certificate? {
        unsafe rocket_tls_last_authority(pointer).map { unsafe X509Certificate($0) }
    }

    /// Sets the protocols of ALPN.
    func set(_ protocols: [String], isServer: Bool) throws(TransportSecurityError) {
        if protocols.isEmpty { return }
        var list: [UInt8] = []
        for name in protocols {
            guard (1...255).contains(name.utf8.count) else {
                throw TransportSecurityError(
                    .configuration, "a protocol of ALPN has 1 to 255 bytes: '\(name)'")
            }
            list.append(UInt8(name.utf8.count))
            list += name.utf8
        }
        guard unsafe rocket_tls_set_protocols(pointer, isServer ? 1 : 0, list, list.count) == 1
        else {
            throw TransportSecurityError.last(.resources)
        }
    }
}

// SAFETY: the keys have a lock of their own.

/// The keys of a server's session tickets. Kept while certificates are reloaded, so that clients
/// resume their sessions. Any thread.
@safe
public final class TLSTicketKeys: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Makes a first key.
    public init() throws(TransportSecurityError) {
        guard let keys = unsafe rocket_tls_ticket_keys_create() else {
            throw TransportSecurityError.last(.resources)
        }
        unsafe pointer = keys
    }

    deinit { unsafe rocket_tls_ticket_keys_release(pointer) }

    /// Makes a new key for new tickets. Those of the two keys before it stay good.
    public func rotate() throws(TransportSecurityError) {
        guard unsafe rocket_tls_ticket_keys_rotate(pointer) == 1 else {
            throw TransportSecurityError.last(.resources)
        }
    }
}

extension TLSServerConfiguration {
    fileprivate func demandCertificates(in context: ContextHandle) throws(TransportSecurityError) {
        guard clientAuthentication != .none, let clientCA else { return }
        ERR_clear_error()
        guard unsafe SSL_CTX_load_verify_file(context.pointer, clientCA) == 1,
            let names = unsafe SSL_load_client_CA_file(clientCA)
        else { throw TransportSecurityError.last(.file, "\(clientCA): ") }
        unsafe SSL_CTX_set_client_CA_list(context.pointer, names)
        let mode =
            clientAuthentication == .required
            ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER
        unsafe rocket_tls_set_verification(context.pointer, mode)
        // Resuming a session checks no certificate: a server that trusts other clients, or demands
        // more, must not resume it.
        guard unsafe rocket_tls_set_session_scope(context.pointer) == 1 else {
            throw TransportSecurityError.last(.resources)
        }
    }
}

extension TLSClientConfiguration {
    fileprivate func trust(in context: ContextHandle) throws(TransportSecurityError) {
        ERR_clear_error()
        switch trust {
        case .system:
            guard unsafe SSL_CTX_set_default_verify_paths(context.pointer) == 1 else {
                throw TransportSecurityError.last(.file, "the system's authorities: ")
            }
        case .file(let path):
            guard unsafe SSL_CTX_load_verify_file(context.pointer, path) == 1 else {
                throw TransportSecurityError.last(.file, "\(path): ")
            }
        case .fingerprint(let text):
            guard X509Fingerprint(text) != nil else {
                throw TransportSecurityError(
                    .configuration, "a SHA-256 fingerprint has 64 hexadecimal digits: '\(text)'")
            }
            // Compared when the handshake has ended; before, nothing is sent that matters.
            return unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_NONE, nil)
        }
        unsafe rocket_tls_set_verification(context.pointer, SSL_VERIFY_PEER)
    }
}

extension TLSIdentity {
    /// Reads both files into the context, and checks them.
    fileprivate func use(
        in context: ContextHandle, now: WallTime
    ) throws(TransportSecurityError) -> X509Certificate {
        ERR_clear_error()
        guard unsafe SSL_CTX_use_certificate_chain_file(context.pointer, certificate) == 1,
            let leaf = unsafe SSL_CTX_get0_certificate(context.pointer)
        else { throw TransportSecurityError.last(.file, "\(certificate): ") }
        var mode: UInt32 = 0
        switch unsafe rocket_tls_use_key(context.pointer, key, &mode) {
        case 1: break
        case -1:
            throw TransportSecurityError(
                .file,
                "\(key): the mode of a private key is 0\(String(mode, radix: 8)), so that others "
                    + "than its owner can use it; expected is 0600, or 0640 for a file of root's")
        default: throw TransportSecurityError.last(.file, "\(key) for \(certificate): ")
        }
        let read = unsafe X509Certificate(leaf)
        if now > read.notAfter {
            throw TransportSecurityError(
                .dates, "\(certificate) has expired on \(dateText(read.notAfter))")
        }
        if now < read.notBefore {
            throw TransportSecurityError(
                .dates, "\(certificate) is not valid before \(dateText(read.notBefore))")
        }
        return read
    }
}
