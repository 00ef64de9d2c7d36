import FoundationEssentials
import RocketBase
import RocketRPC
import RocketSimulation
import RocketSystem
import RocketTLS
import RocketTLSTestKit

/// What protects the connections of a world: nothing, or TLS with certificates on both sides. A
/// value.
struct WorldSecurity: Sendable {
    let server: (any ServerTransportSecurity)?
    let client: (any ClientTransportSecurity)?

    static let plaintext = WorldSecurity(server: nil, client: nil)

    /// Runs a scenario over TLS, with the random numbers of the world's seed.
    ///
    /// - Parameter isGRPC: clients offer `h2` by ALPN, and otherwise `rocket/1`; servers have both.
    static func run(
        _ world: World, isGRPC: Bool, _ body: (WorldSecurity) throws -> Void
    ) throws {
        var random = world.generator("tls")
        let contexts = try WorldContexts.shared.get()
        try SeededTLS.run(seed: random.next()) {
            try body(
                WorldSecurity(
                    server: WorldServerSecurity(context: contexts.server),
                    client: WorldClientSecurity(
                        context: isGRPC ? contexts.clientOfGRPC : contexts.client)))
        }
    }
}

private struct WorldServerSecurity: ServerTransportSecurity {
    let context: TLSContext

    func acceptSession() throws(TransportSecurityError) -> any SecureSession {
        try TLSSession(acceptingBy: context)
    }
}

/// Resumes the last session of each host.
private final class WorldClientSecurity: ClientTransportSecurity {
    private let context: TLSContext
    private let tickets = Locked<[String: TLSTicket]>([:])

    init(context: TLSContext) { self.context = context }

    func connectSession(to host: String?) throws(TransportSecurityError) -> any SecureSession {
        let key = host ?? ""
        return try TLSSession(
            connectingBy: context, to: host, resuming: tickets.withLock { $0[key] },
            keepTicket: { [self] ticket in tickets.withLock { $0[key] = ticket } })
    }
}

/// The certificates of all worlds of this process: of the same sizes in each process, so that a seed
/// goes the same way.
private struct WorldContexts {
    let server, client, clientOfGRPC: TLSContext

    static let shared = Result { try WorldContexts() }

    private init() throws {
        // determinism: the name of a folder that is removed before a world begins
        let folder = FileManager.default.temporaryDirectory.path + "/rocket-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        (server, client, clientOfGRPC) = try SeededTLS.run(seed: 1) {
            let authority = TestAuthority(inFolder: folder)
            var server = TLSServerConfiguration(
                identities: [authority.issue("server", names: "DNS:world.test")],
                clientCA: authority.certificate)
            server.protocols = ["h2", "rocket/1"]
            var client = TLSClientConfiguration()
            client.trust = .file(authority.certificate)
            client.identity = authority.issue("client", names: "URI:spiffe://world/client")
            client.name = "world.test"
            var clientOfGRPC = client
            clientOfGRPC.protocols = ["h2"]
            // determinism: OpenSSL compares the dates with the clock of the system
            let now = SystemTimeSource().wall()
            return (
                try TLSContext(server, tickets: TLSTicketKeys(), now: now),
                try TLSContext(client, now: now),
                try TLSContext(clientOfGRPC, now: now)
            )
        }
    }
}
