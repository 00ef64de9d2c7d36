import RocketBase
import RocketReactor
import RocketSystem
import Synchronization

/// A server's listeners on its main loop: they apply its limits and pass accepted sockets to the
/// sub loops, one batch per loop and readiness. Bound to the main loop.
final class ConnectionAcceptor: TCPAcceptorDelegate {
    /// A socket on its way to its loop.
    struct AcceptedSocket: Sendable {
        let socket: Socket.Released
        let peer: NetAddress
        let number: UInt64
        let security: (any ServerTransportSecurity)?
    }

    private let loops: [EventLoop]
    private let context: ServerContext
    private unowned let reactor: Reactor
    private var acceptors: [TCPAcceptor] = []
    /// Sockets that were accepted in this batch, by loop.
    private var batches: [[AcceptedSocket]]
    private var nextLoop = 0
    private var admitted: UInt64 = 0
    /// Nil: connections stay where they are.
    private let balancer: ConnectionBalancer?

    init(loops: [EventLoop], context: ServerContext, on reactor: Reactor) {
        self.loops = loops
        self.context = context
        self.reactor = reactor
        batches = Array(repeating: [], count: loops.count)
        balancer =
            loops.count > 1 && context.configuration.balancesConnections
            ? ConnectionBalancer(loops, context, on: reactor) : nil
        reactor.observeLoopEnd(self)
    }

    /// Starts accepting on these sockets: on all of them, or on none.
    ///
    /// - Throws: `TCPListenError` when the loop can't watch one of them. All are closed then.
    func open(_ sockets: [ListeningSocket.Released]) throws(TCPListenError) {
        for (index, socket) in sockets.enumerated() {
            do {
                acceptors.append(
                    try TCPAcceptor(
                        ListeningSocket(socket), security: socket.security,
                        batch: context.configuration.acceptBatch, delegate: self,
                        logger: context.logger, on: reactor))
            } catch {
                socket.file?.remove()
                for rest in sockets[(index + 1)...] { rest.close() }
                close()
                throw TCPListenError(address: socket.address.description, cause: error)
            }
        }
    }

    func close() {
        for acceptor in acceptors { acceptor.close() }
        acceptors = []
        balancer?.stop()
        reactor.stopObservingLoopEnd(self)
    }

    func mayAccept(_ acceptor: TCPAcceptor) -> Bool {
        let limiter = context.limiter
        if context.configuration.atLimit == .refuse || limiter.connections < limiter.limit {
            return true
        }
        let bound = LoopBound(self, on: reactor)
        limiter.whenRoom {
            bound.loop.execute { _ in
                for acceptor in bound.get().acceptors { acceptor.resume() }
            }
        }
        return false
    }

    func accepted(
        _ socket: consuming Socket, peer: NetAddress, security: (any ServerTransportSecurity)?
    ) {
        let verdict = context.limiter.admit(peer)
        guard verdict == .admitted else { return logRefusal(of: peer, verdict) }
        admitted += 1
        batches[nextLoop].append(
            AcceptedSocket(
                socket: socket.release(), peer: peer, number: admitted, security: security))
        nextLoop = (nextLoop + 1) % loops.count
    }

    /// Logs a refusal. The socket is dropped by the caller: the peer reads the end at once.
    private func logRefusal(of peer: NetAddress, _ verdict: ConnectionLimiter.Verdict) {
        let reason: CloseReason = verdict == .full ? .connectionLimit : .peerConnectionLimit
        let logger = context.logger.throttled(.warn, "connection refused")
        logger?.warn("a connection is refused") {
            $0.add("peer", peer)
            $0.add("reason", reason)
        }
    }

    func batchEnded() {
        for index in loops.indices where !batches[index].isEmpty {
            var filled: [AcceptedSocket] = []
            swap(&filled, &batches[index])
            let batch = filled
            let context = context
            if loops[index].execute({ context.receive(batch, on: $0) }) { continue }
            for socket in batch { context.close(socket.socket, of: socket.peer) }
        }
        if context.limiter.connections > 1 { balancer?.start() }
    }
}

extension ConnectionAcceptor: LoopEndHandler {
    /// Closes the listeners, so that peers are refused instead of waiting for an accept.
    func loopEnding(on reactor: Reactor) { close() }
}

/// What all loops of one server share. Immutable but for its phase and its counters; any thread.
final class ServerContext: Sendable {
    enum Phase: UInt8, AtomicRepresentable { case open, draining, stopped }

    let configuration: TCPServerConfiguration
    let limiter: ConnectionLimiter
    let logger: RocketLogger
    private let group: ConnectionGroup
    private let makeHandler: @Sendable (Reactor) -> any TCPConnectionHandler
    private let atomicPhase = Atomic(Phase.open)
    private let moved = Atomic(0)

    init(
        _ configuration: TCPServerConfiguration, logger: RocketLogger,
        makeHandler: @escaping @Sendable (Reactor) -> any TCPConnectionHandler
    ) {
        self.configuration = configuration
        self.logger = logger
        self.makeHandler = makeHandler
        limiter = ConnectionLimiter(
            limit: max(1, configuration.maxConnections),
            limitPerPeer: configuration.maxConnectionsPerPeer,
            budget: configuration.budget)
        group = ConnectionGroup(
            configuration.connection, limiter: limiter, logger: logger,
            handshakes: Self.handshakes(configuration, logger))
    }

    /// Nil also where no thread can be started.
    private static func handshakes(
        _ configuration: TCPServerConfiguration, _ logger: RocketLogger
    ) -> HandshakeThreads? {
        let count = configuration.handshakeThreads
        if configuration.security.isEmpty || count <= 0 { return nil }
        do throws(SystemError) {
            return try HandshakeThreads(count: count, name: "handshake")
        } catch {
            logger.error("no thread for handshakes; they run on the event loops") {
                $0.add("error", error)
            }
            return nil
        }
    }

    var phase: Phase { atomicPhase.load(ordering: .acquiring) }

    /// Enters the phase, unless this one or a later one was entered before.
    func advance(to phase: Phase) {
        var earlier = self.phase
        while earlier.rawValue < phase.rawValue {
            let (done, found) = atomicPhase.compareExchange(
                expected: earlier, desired: phase, ordering: .acquiringAndReleasing)
            if done { return }
            earlier = found
        }
    }

    /// Makes connections of accepted sockets, on the loop that they are for.
    func receive(_ batch: [ConnectionAcceptor.AcceptedSocket], on reactor: Reactor) {
        for socket in batch {
            if phase == .stopped {
                close(socket.socket, of: socket.peer)
                continue
            }
            let session: ConnectionSecurity?
            do throws(TransportSecurityError) {
                session = try socket.security.map { (security) throws(TransportSecurityError) in
                    ConnectionSecurity(try security.acceptSession())
                }
            } catch {
                logInsecure(socket.peer, .insecure(error))
                close(socket.socket, of: socket.peer)
                continue
            }
            session?.handshakeEnded = { [self] in
                if let reason = $1 { logInsecure($0.peerAddress, reason) }
            }
            let connection = TCPConnection(
                Socket(owning: socket.socket), peer: socket.peer, group: group,
                handler: makeHandler(reactor), on: reactor, number: socket.number,
                security: session)
            do {
                try connection.start()
            } catch {
                logLost(socket.peer, error)
            }
        }
    }

    /// Continues connections that have left another loop. The server may have begun to drain, or have
    /// stopped, when they were on neither.
    func receive(_ batch: [MovedConnection], on reactor: Reactor) {
        for moved in batch {
            if phase == .stopped {
                close(moved.socket, of: moved.peer)
                continue
            }
            let connection = TCPConnection(moved, group: group, on: reactor)
            do { try connection.resume() } catch {
                logLost(moved.peer, error)
                continue
            }
            if phase == .draining { connection.drain() }
        }
    }

    /// Peers that only connect and leave, as checks of a port do, are no reason to warn.
    private func logInsecure(_ peer: NetAddress, _ reason: CloseReason) {
        switch reason {
        case .insecure, .handshakeTimeout: break
        default: return
        }
        let logger = logger.throttled(.warn, "handshake failed")
        logger?.warn("a connection is refused: its handshake failed") {
            $0.add("peer", peer)
            $0.add("reason", reason)
        }
    }

    private func logLost(_ peer: NetAddress, _ error: SystemError) {
        let logger = logger.throttled(.error, "connection lost")
        logger?.error("a connection is lost: its event loop can't watch it") {
            $0.add("peer", peer)
            $0.add("error", error)
        }
    }

    /// Closes a socket that does not become a connection.
    func close(_ socket: Socket.Released, of peer: NetAddress) {
        _ = Socket(owning: socket)
        limiter.release(peer)
    }

    /// How often a connection has moved to another loop.
    var movedConnections: Int { moved.load(ordering: .relaxed) }

    func countMoved(_ count: Int) { moved.wrappingAdd(count, ordering: .relaxed) }

    /// Whether it is a connection of this server.
    func owns(_ connection: TCPConnection) -> Bool { connection.group === group }

    /// Returns this server's connections on that loop.
    func connections(on reactor: Reactor) -> [TCPConnection] {
        LoopConnections.of(reactor).connections.filter(owns)
    }
}
