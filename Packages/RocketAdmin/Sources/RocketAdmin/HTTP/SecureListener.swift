import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

/// The listener of a page with TLS: a server of RocketTCP, whose connections have the TLS of all of
/// Rocket's (versions, keys, reload, names of certificates), on a thread of its own. What they say in
/// plaintext passes through a pair of sockets to libmicrohttpd. Any thread.
final class SecureListener: Sendable {
    private let thread: IOThread
    private let server: TCPServer
    private let peers: SecurePeers

    /// - Parameter deliver: receives the other end of a connection's pair, and its number, on the thread.
    init(
        _ configuration: TCPServerConfiguration, logger: RocketLogger,
        deliver: @escaping @Sendable (consuming FileDescriptor, UInt64) -> Void
    ) throws(SystemError) {
        let peers = SecurePeers()
        self.peers = peers
        thread = try IOThread(name: "rocket-admin", logger: logger)
        server = TCPServer(
            configuration: configuration, mainLoop: thread.loop, subLoops: [], logger: logger
        ) { reactor in
            SecureConnection(on: reactor, peers, deliver)
        }
    }

    /// Opens the listener.
    ///
    /// - Returns: where it listens.
    func start() throws(TCPListenError) -> NetAddress? { try server.start().first }

    /// What the peer of a connection has proved; nil: it has gone.
    func identity(of connection: UInt64) -> PeerIdentity? { peers[connection] }

    /// Closes the listener and all connections, and ends the thread.
    func stop() async {
        await server.drain(within: .zero)
        thread.stop()
        await thread.ended()
    }
}

/// Who is at the other end of each connection. Any thread.
final class SecurePeers: Sendable {
    private struct State {
        var last: UInt64 = 0
        var identities: [UInt64: PeerIdentity] = [:]
    }

    private let state = Locked(State())

    /// Adds one; returns its number, from 1 on.
    func add(_ identity: PeerIdentity) -> UInt64 {
        state.withLock { state in
            state.last += 1
            state.identities[state.last] = identity
            return state.last
        }
    }

    func remove(_ number: UInt64) {
        state.withLock { _ = $0.identities.removeValue(forKey: number) }
    }

    subscript(number: UInt64) -> PeerIdentity? { state.withLock { $0.identities[number] } }
}

/// One client's connection: copies bytes between it and the pair of sockets. Bound to its loop.
///
/// Each end stops reading while the other one is full, so that what waits is bounded.
private final class SecureConnection: TCPConnectionHandler {
    private let reactor: Reactor
    private let peers: SecurePeers
    private let deliver: @Sendable (consuming FileDescriptor, UInt64) -> Void
    private var number: UInt64 = 0
    /// The near end of the pair; nil: not yet, or not any more.
    private var pair: TCPConnection?

    init(
        on reactor: Reactor, _ peers: SecurePeers,
        _ deliver: @escaping @Sendable (consuming FileDescriptor, UInt64) -> Void
    ) {
        self.reactor = reactor
        self.peers = peers
        self.deliver = deliver
    }

    /// The handshake has ended.
    func connected(_ connection: TCPConnection) {
        let ends: SocketPair
        do { ends = try FileDescriptor.socketPair() } catch {
            return connection.close(.now, reason: .failed(error))
        }
        number = peers.add(connection.peerIdentity)
        ends.take { near, far in
            var limits = TCPConnectionConfiguration()
            limits.partialInputTimeout = nil
            pair = TCPConnection.adopt(
                near, on: reactor, configuration: limits, handler: PairEnd(of: connection))
            deliver(far, number)
        }
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        guard let pair else { return input.removeAll() }
        pair.pass(&input, from: connection)
    }

    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        if isWritable { pair?.resumeReading() }
    }

    func inputEnded(_ connection: TCPConnection) { pair?.finishWriting() }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        peers.remove(number)
        pair?.close(.now, reason: reason)
        pair = nil
    }
}

/// The near end of the pair of sockets: what libmicrohttpd writes goes to the client. Bound to its loop.
private final class PairEnd: TCPConnectionHandler {
    private weak var client: TCPConnection?

    init(of client: TCPConnection) { self.client = client }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        guard let client else { return input.removeAll() }
        client.pass(&input, from: connection)
    }

    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        if isWritable { client?.resumeReading() }
    }

    func inputEnded(_ connection: TCPConnection) {
        client?.close(.afterFlush, reason: .requested)
    }

    func closed(_ connection: TCPConnection, reason: CloseReason) {
        client?.close(.afterFlush, reason: .requested)
    }
}

extension TCPConnection {
    /// Writes what another connection has received, which does not read further while this one is full.
    fileprivate func pass(_ input: inout ByteBuffer, from other: TCPConnection) {
        input.withBytes { bytes in write { $0.append(bytes) } }
        input.removeAll()
        if isOutputFull { other.pauseReading() }
    }
}
