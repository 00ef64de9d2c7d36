import RocketBase
import RocketReactor
import RocketSystem
import Synchronization

/// What all loops of one server share. Immutable but for its books; any thread.
final class ServerContext: Sendable {
    enum Phase: UInt8, AtomicRepresentable { case open, draining, stopped }

    let configuration: TCPServerConfiguration
    let ledger: ConnectionLimiter
    let owner: ConnectionGroup
    let logger: RocketLogger
    private let makeHandler: @Sendable (Reactor) -> any TCPConnectionHandler
    private let atomicPhase = Atomic(Phase.open)

    init(
        _ configuration: TCPServerConfiguration, logger: RocketLogger,
        makeHandler: @escaping @Sendable (Reactor) -> any TCPConnectionHandler
    ) {
        self.configuration = configuration
        self.logger = logger
        self.makeHandler = makeHandler
        ledger = ConnectionLimiter(
            limit: max(1, configuration.maxConnections),
            limitPerPeer: configuration.maxConnectionsPerPeer,
            bufferLimitBytes: configuration.bufferLimitBytes)
        owner = ConnectionGroup(configuration.connection, ledger: ledger)
    }

    var phase: Phase {
        get { atomicPhase.load(ordering: .acquiring) }
        set { atomicPhase.store(newValue, ordering: .releasing) }
    }

    /// On the loop that the connections are for.
    func receive(_ arrivals: [ConnectionAcceptor.AcceptedSocket], on reactor: Reactor) {
        for arrival in arrivals {
            if phase == .stopped {
                turnAway(arrival)
                continue
            }
            let connection = TCPConnection(
                FileDescriptor(owning: arrival.raw), peer: arrival.peer, owner: owner,
                handler: makeHandler(reactor), on: reactor, number: arrival.number)
            connection.start()
            if phase == .draining { connection.drain() }
        }
    }

    func turnAway(_ arrival: ConnectionAcceptor.AcceptedSocket) {
        _ = FileDescriptor(owning: arrival.raw)
        ledger.release(arrival.peer)
    }

    /// This server's connections on that loop.
    func connections(on reactor: Reactor) -> [TCPConnection] {
        LoopConnections.of(reactor).connections.filter { $0.owner === owner }
    }
}
