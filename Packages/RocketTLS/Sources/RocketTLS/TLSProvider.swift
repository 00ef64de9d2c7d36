public import RocketBase
public import RocketSystem

/// TLS for the `tls` elements of one configuration: reads their files, and reads them again, all or
/// none. One per process. Any thread; it reads files, so not on an event loop.
public final class TLSProvider: TransportSecurityProvider {
    private struct State {
        var servers: [String: TLSServerSecurity] = [:]
        var clients: [String: TLSClientSecurity] = [:]
        var tickets: TLSTicketKeys?
        var warnings = ExpiryWarnings()
    }

    let reader: TLSFileReader
    private let logger: RocketLogger
    private let time: any TimeSource
    private let state = Locked(State())
    private let inForce = Locked(InForce())

    private struct InForce {
        var certificates: [TLSCertificateFile] = []
        var authorities: [TLSCertificateFile] = []
        var files: [TLSFile] = []
    }

    /// Creates a provider that has read nothing.
    ///
    /// - Parameters:
    ///   - logger: receives what is in force after each reading, and from 7 days before a certificate
    ///     expires a warning per day.
    ///   - credentials: the folder of systemd's credentials; default: CREDENTIALS_DIRECTORY.
    ///   - wait: blocks the thread while files are being replaced.
    public init(
        logger: RocketLogger = .disabled, time: any TimeSource = SystemTimeSource(),
        credentials: String? = ProcessEnvironment.current["CREDENTIALS_DIRECTORY"],
        wait: @escaping @Sendable (Duration) -> Void = { FutexWord().wait(while: 0, atMost: $0) }
    ) {
        reader = TLSFileReader(time: time, credentials: credentials, wait: wait)
        self.logger = logger
        self.time = time
    }

    // MARK: Securities

    /// See `TransportSecurityProvider`. All servers have their ticket keys in common, which are kept
    /// while certificates are reloaded.
    public func serverSecurity(
        _ tls: ServerTLSConfig, at path: String
    ) throws(TransportSecurityError) -> any ServerTransportSecurity {
        try state.withLock { state throws(TransportSecurityError) in
            if state.tickets == nil { state.tickets = try TLSTicketKeys() }
            if let known = state.servers[path], known.generation.settings == tls { return known }
            let generation = try reader.read(tls, state.tickets)
            let security = state.servers[path] ?? TLSServerSecurity(generation)
            security.generation = generation
            state.servers[path] = security
            publish(&state)
            return security
        }
    }

    /// See `TransportSecurityProvider`. Sessions are resumed by the last ticket of the same host; the
    /// tickets of up to 256 hosts are kept.
    public func clientSecurity(
        _ tls: StubTLSConfig, at path: String
    ) throws(TransportSecurityError) -> any ClientTransportSecurity {
        try state.withLock { state throws(TransportSecurityError) in
            if let known = state.clients[path], known.generation.settings == tls { return known }
            let generation = try reader.read(tls)
            let security = state.clients[path] ?? TLSClientSecurity(generation)
            security.generation = generation
            state.clients[path] = security
            publish(&state)
            return security
        }
    }

    /// Makes the securities of all elements of a configuration.
    ///
    /// - Throws: the first file that can't be used.
    public func load(_ config: RocketConfig) throws(TransportSecurityError) {
        let elements = TLSElements(config)
        for (path, tls) in elements.servers.sorted(by: { $0.key < $1.key }) {
            _ = try serverSecurity(tls, at: path)
        }
        for (path, tls) in elements.clients.sorted(by: { $0.key < $1.key }) {
            _ = try clientSecurity(tls, at: path)
        }
    }

    // MARK: Reload

    /// Reads all files again. New connections use what was read; those that exist go on.
    ///
    /// - Parameter config: the values of the elements from now on; nil: those of before. Channels of
    ///   a stub that it lacks keep what they have, and their files are not read again. Clients at other
    ///   paths than those of stubs keep their values.
    /// - Throws: the first file that can't be used; nothing has changed then.
    public func reload(_ config: RocketConfig? = nil) throws(TransportSecurityError) {
        try state.withLock { state throws(TransportSecurityError) in
            let values = config.map { TLSElements($0) }
            var servers: [(TLSServerSecurity, TLSGeneration<ServerTLSConfig>)] = []
            var clients: [(TLSClientSecurity, TLSGeneration<StubTLSConfig>)] = []
            for (path, security) in state.servers.sorted(by: { $0.key < $1.key }) {
                let settings = security.generation.settings
                var tls = values?.servers[path] ?? settings
                tls.applicationProtocols = settings.applicationProtocols
                servers.append((security, try reader.read(tls, state.tickets)))
            }
            let kept = state.clients.filter {
                values == nil || values?.clients[$0.key] != nil || !$0.key.hasPrefix("stubs/")
            }
            for (path, security) in kept.sorted(by: { $0.key < $1.key }) {
                let settings = security.generation.settings
                var tls = values?.clients[path] ?? settings
                tls.applicationProtocols = settings.applicationProtocols
                clients.append((security, try reader.read(tls)))
            }
            for (security, generation) in servers { security.generation = generation }
            for (security, generation) in clients { security.generation = generation }
            state.clients = kept
            publish(&state, isReload: true)
        }
    }

    /// Makes a new key for session tickets. Those of the two keys before it stay good.
    public func rotateTicketKeys() throws(TransportSecurityError) {
        try state.withLock { $0.tickets }?.rotate()
    }

    // MARK: What is in force

    /// The certificates of all elements, without repetition.
    public var certificates: [TLSCertificateFile] { inForce.withLock { $0.certificates } }

    /// Of each file of authorities the one that is valid for longest, without repetition: when it ends,
    /// the file is of no use.
    public var authorities: [TLSCertificateFile] { inForce.withLock { $0.authorities } }

    /// All files that were read, without repetition: certificates, keys, authorities.
    public var files: [TLSFile] { inForce.withLock { $0.files } }

    /// When the first certificate expires, for a status line; nil: there is none.
    public var status: String? {
        let first = certificates.min { $0.certificate.notAfter < $1.certificate.notAfter }
        guard let first else { return nil }
        let end = first.certificate.notAfter
        return
            "TLS certificate \(time.wall() > end ? "EXPIRED on" : "valid until") \(dateText(end))"
    }

    /// Logs a warning for each certificate, and each file of authorities, that expires within 7 days,
    /// or has expired, once per day.
    public func checkExpiry() { state.withLock { warn(&$0) } }

    private func publish(_ state: inout State, isReload: Bool = false) {
        let servers = state.servers.sorted { $0.key < $1.key }.map(\.value.generation)
        let clients = state.clients.sorted { $0.key < $1.key }.map(\.value.generation)
        let files = (servers.flatMap(\.files) + clients.flatMap(\.files)).withoutRepetition
        let certificates = (servers.flatMap(\.certificates) + clients.flatMap(\.certificates))
            .withoutRepetition
        let authorities = (servers.compactMap(\.authority) + clients.compactMap(\.authority))
            .withoutRepetition
        let known = inForce.withLock { inForce in
            defer {
                inForce = InForce(
                    certificates: certificates, authorities: authorities, files: files)
            }
            return isReload ? [] : Set(inForce.certificates)
        }
        for file in certificates where !known.contains(file) {
            logger.info(isReload ? "TLS certificate reloaded" : "TLS certificate loaded") {
                $0.add("file", file.path)
                $0.add("subject", file.certificate.subject)
                $0.add("serial", file.certificate.serial)
                $0.add("not_after", dateText(file.certificate.notAfter))
            }
        }
        warn(&state)
    }

    private func warn(_ state: inout State) {
        let now = time.wall()
        let (certificates, authorities) = inForce.withLock { ($0.certificates, $0.authorities) }
        let all = (certificates + authorities).withoutRepetition
        for file in state.warnings.due(all, now: now) {
            let isOver = now > file.certificate.notAfter
            let message: StaticString =
                switch (certificates.contains(file), isOver) {
                case (true, true): "TLS certificate has expired"
                case (true, false): "TLS certificate expires soon"
                case (false, true): "TLS authority has expired"
                case (false, false): "TLS authority expires soon"
                }
            logger.warn(message) {
                $0.add("file", file.path)
                $0.add("subject", file.certificate.subject)
                $0.add("serial", file.certificate.serial)
                $0.add("not_after", dateText(file.certificate.notAfter))
            }
        }
    }
}

extension Array where Element: Hashable {
    fileprivate var withoutRepetition: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
