import RocketBase
public import RocketReactor
import RocketSystem

/// A handler whose connections may move to another loop of their server.
@_spi(Transport) public protocol MovableConnectionHandler: TCPConnectionHandler {
    /// Whether its connection may move once nothing of it is under way.
    var isMovable: Bool { get }

    /// Gives the connection up, if nothing of it is under way: no function is called any more, not even
    /// `closed`, and the handler holds the connection no longer. Nothing of the connection is buffered.
    ///
    /// - Returns: makes the handler with which the connection goes on, on its new loop; `connected` is
    ///   called first, as for a new connection. nil: the connection stays for now.
    func leave() -> (@Sendable (Reactor) -> any TCPConnectionHandler)?
}

/// A connection on its way to another loop: its socket, and what is known of its peer. The receiver
/// makes a connection of it, or the socket leaks.
struct MovedConnection: Sendable {
    let socket: Socket.Released
    let peer: NetAddress
    let number: UInt64
    let makeHandler: @Sendable (Reactor) -> any TCPConnectionHandler
    fileprivate let deadlines: ConnectionDeadlines
    fileprivate let answerCheckAt: MonotonicTime
    fileprivate let liveness: PeerLiveness
    fileprivate let awaitsAnswers: Bool
    fileprivate let readSize: AdaptiveReadSize
    fileprivate let sent, acknowledged, received: UInt64
}

extension TCPConnection {
    /// Bytes that were received and sent.
    var transferredBytes: UInt64 { receivedTotal &+ sentTotal }

    /// Whether it may move when it is idle. What a security knows stays where it is.
    var isMovable: Bool {
        security == nil && (handler as? any MovableConnectionHandler)?.isMovable == true
    }

    /// Whether nothing of it is buffered, and nothing waits for an event of its loop.
    private var isIdle: Bool {
        if machine.phase != .connected || registration == nil || security != nil { return false }
        if awaitsTickEnd || needsRedelivery || isInputInUse || isReadingPaused { return false }
        if waitsForRoom || waterMark != .below || recordedBytes != 0 { return false }
        return unsafe input.isEmpty && output.isEmpty
    }

    /// Ends this object without its socket, which goes on at another loop, and without notifying the
    /// handler. At the end of a tick.
    ///
    /// - Returns: nil: the connection stays, since it is not idle.
    func leave() -> MovedConnection? {
        guard isIdle, let movable = handler as? any MovableConnectionHandler,
            let makeHandler = movable.leave()
        else { return nil }
        registration?.cancel()
        registration = nil
        guard let socket = unsafe socket.take() else {
            preconditionFailure("a connection has its socket until it is closed")
        }
        _ = machine.handle(.moved)
        handler = nil
        loopConnections.remove(self)
        return MovedConnection(
            socket: socket.release(), peer: peerAddress, number: number, makeHandler: makeHandler,
            deadlines: deadlines, answerCheckAt: answerCheckAt, liveness: liveness,
            awaitsAnswers: awaitsAnswers, readSize: readSize, sent: sentTotal,
            acknowledged: acknowledgedTotal, received: receivedTotal)
    }

    /// Makes the connection of one that has left another loop.
    convenience init(_ moved: MovedConnection, group: ConnectionGroup, on reactor: Reactor) {
        self.init(
            Socket(owning: moved.socket), peer: moved.peer, group: group,
            handler: moved.makeHandler(reactor), on: reactor, number: moved.number)
        deadlines = moved.deadlines
        answerCheckAt = moved.answerCheckAt
        liveness = moved.liveness
        awaitsAnswers = moved.awaitsAnswers
        readSize = moved.readSize
        sentTotal = moved.sent
        acknowledgedTotal = moved.acknowledged
        receivedTotal = moved.received
    }

    /// Starts a moved connection. What has arrived meanwhile is still in the socket, so the poller
    /// reports it.
    ///
    /// - Throws: as `start`.
    func resume() throws(SystemError) {
        try start()
        if !machine.isClosed { loopConnections.expect(answerCheckAt) }
    }
}
