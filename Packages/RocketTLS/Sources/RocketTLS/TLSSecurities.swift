import RocketBase
import RocketSystem

/// The security of listeners: sessions by its current generation. Any thread.
final class TLSServerSecurity: ServerTransportSecurity {
    private let current: Locked<TLSGeneration<ServerTLSConfig>>

    init(_ generation: TLSGeneration<ServerTLSConfig>) { current = Locked(generation) }

    var generation: TLSGeneration<ServerTLSConfig> {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    func acceptSession() throws(TransportSecurityError) -> any SecureSession {
        try TLSSession(acceptingBy: generation.context)
    }
}

/// The security of channels: sessions by its current generation, resumed by the last ticket of the
/// same host. Any thread.
final class TLSClientSecurity: ClientTransportSecurity {
    private struct State {
        var generation: TLSGeneration<StubTLSConfig>
        var tickets = TLSTicketCache()
    }

    private let state: Locked<State>

    init(_ generation: TLSGeneration<StubTLSConfig>) {
        state = Locked(State(generation: generation))
    }

    var generation: TLSGeneration<StubTLSConfig> {
        get { state.withLock { $0.generation } }
        // Without the tickets: resuming a session proves and checks nothing anew.
        set { state.withLock { $0 = State(generation: newValue) } }
    }

    func connectSession(to host: String?) throws(TransportSecurityError) -> any SecureSession {
        let (context, ticket) = state.withLock {
            ($0.generation.context, $0.tickets[host ?? ""])
        }
        return try TLSSession(connectingBy: context, to: host, resuming: ticket) { [self] ticket in
            state.withLock {
                guard $0.generation.context === context else { return }
                $0.tickets.keep(ticket, of: host ?? "")
            }
        }
    }
}

/// What one `tls` element says, and what was read by it. A value.
struct TLSGeneration<Settings: Hashable & Sendable>: Sendable {
    let settings: Settings
    let context: TLSContext
    /// The files of the context's certificates, in their order.
    let certificateFiles: [String]
    /// The file of the authorities that are trusted; nil: there is none.
    let authorityFile: String?
    /// All files that were read.
    let files: [TLSFile]

    var authority: TLSCertificateFile? {
        guard let authorityFile, let authority = context.authority else { return nil }
        return TLSCertificateFile(path: authorityFile, certificate: authority)
    }

    var certificates: [TLSCertificateFile] {
        zip(certificateFiles, context.certificates).map {
            TLSCertificateFile(path: $0, certificate: $1)
        }
    }
}

/// The last tickets of up to 256 hosts; beyond that the host whose first one is the oldest loses its
/// own. A value.
struct TLSTicketCache {
    static let limit = 256
    private var tickets: [String: TLSTicket] = [:]
    /// The hosts; from `oldest` on in the order of their first tickets, once there are 256.
    private var hosts: [String] = []
    private var oldest = 0

    var count: Int { tickets.count }

    subscript(host: String) -> TLSTicket? { tickets[host] }

    mutating func keep(_ ticket: TLSTicket, of host: String) {
        if tickets.updateValue(ticket, forKey: host) != nil { return }
        if hosts.count < Self.limit { return hosts.append(host) }
        tickets.removeValue(forKey: hosts[oldest])
        hosts[oldest] = host
        oldest = (oldest + 1) % Self.limit
    }
}
