import RocketBase
import RocketSystem

/// Reads the files of `tls` elements. Any thread; blocks.
struct TLSFileReader: Sendable {
    let time: any TimeSource
    let credentials: String?
    let wait: @Sendable (Duration) -> Void

    /// Reads the files of a server.
    func read(
        _ tls: ServerTLSConfig, _ tickets: TLSTicketKeys?
    ) throws(TransportSecurityError) -> TLSGeneration<ServerTLSConfig> {
        var identities: [TLSIdentity] = []
        for (certificate, key) in zip(tls.certificate, tls.key) {
            identities.append(
                TLSIdentity(certificate: try path(certificate), key: try path(key)))
        }
        guard tls.certificate.count == tls.key.count else {
            throw TransportSecurityError(
                .configuration,
                "there are \(tls.certificate.count) certificates and \(tls.key.count) keys")
        }
        var configuration = TLSServerConfiguration(
            identities: identities, clientCA: try tls.clientCA.map(path))
        configuration.clientAuthentication = tls.clientAuthentication
        configuration.minimumVersion = tls.minVersion
        configuration.protocols = tls.applicationProtocols
        let certificates = identities.map(\.certificate)
        let paths =
            certificates + identities.map(\.key) + [configuration.clientCA].compactMap(\.self)
        let (context, files) = try retrying(paths) { () throws(TransportSecurityError) in
            try TLSContext(configuration, tickets: tickets, now: time.wall())
        }
        return TLSGeneration(
            settings: tls, context: context, certificateFiles: certificates,
            authorityFile: configuration.clientCA, files: files)
    }

    /// Reads the files of a client.
    func read(_ tls: StubTLSConfig) throws(TransportSecurityError) -> TLSGeneration<StubTLSConfig> {
        var configuration = TLSClientConfiguration()
        let ca = try tls.ca.map(path)
        if let fingerprint = tls.fingerprint {
            configuration.trust = .fingerprint(fingerprint.description)
        } else if let ca {
            configuration.trust = .file(ca)
        }
        if let certificate = tls.certificate, let key = tls.key {
            configuration.identity = TLSIdentity(
                certificate: try path(certificate), key: try path(key))
        }
        configuration.name = tls.name
        configuration.minimumVersion = tls.minVersion
        configuration.protocols = tls.applicationProtocols
        let identity = configuration.identity
        let paths = [identity?.certificate, identity?.key, ca].compactMap(\.self)
        let (context, files) = try retrying(paths) { () throws(TransportSecurityError) in
            try TLSContext(configuration, now: time.wall())
        }
        return TLSGeneration(
            settings: tls, context: context,
            certificateFiles: [identity?.certificate].compactMap(\.self), authorityFile: ca,
            files: files)
    }

    private func path(_ text: String) throws(TransportSecurityError) -> String {
        try CredentialPath.resolved(text, in: credentials)
    }

    /// Tries again, up to 3 times 100 ms apart, where a file is missing or incomplete, or a key does
    /// not fit its certificate: they may be about to be replaced, one after the other.
    ///
    /// - Returns: the files, too, as they were before the successful attempt.
    private func retrying(
        _ paths: [String], _ body: () throws(TransportSecurityError) -> TLSContext
    ) throws(TransportSecurityError) -> (TLSContext, [TLSFile]) {
        var attempts = 1
        while true {
            let files = paths.map { TLSFile(path: $0, version: FileVersion(of: $0)) }
            do throws(TransportSecurityError) {
                return (try body(), files)
            } catch {
                guard error.kind == .file, attempts <= 3 else { throw error }
                attempts += 1
                wait(.milliseconds(100))
            }
        }
    }
}

/// The `tls` elements of a configuration by their paths. A value.
struct TLSElements {
    var servers: [String: ServerTLSConfig] = [:]
    var clients: [String: StubTLSConfig] = [:]

    init(_ config: RocketConfig) {
        servers["server/tls"] = config.server.tls
        servers["admin/tls"] = config.admin.tls
        if let http = config.server.http {
            servers["server/http/tls"] = http.tls ?? config.server.tls
        }
        for listener in config.server.listeners {
            servers["server/listener/\(listener.address)/tls"] = listener.tls
        }
        clients["trace/otlp/tls"] = config.trace.otlp?.tls
        for stub in config.stubs { clients["stubs/\(stub.name)/tls"] = stub.tls }
    }
}
