public import RocketBase
public import RocketReactor
public import RocketSystem

/// One connection: a stream of bytes in each direction. It reads once per readiness, and at the end
/// of a tick it writes everything that was queued in that tick. Bound to its loop for its whole
/// life; every function is for that loop's thread only. Its handler interprets the bytes.
///
/// An idle connection holds no buffer: it reads into the loop's buffer, and keeps only what a
/// handler leaves.
public final class TCPConnection {
    /// The loop that it is bound to.
    public let reactor: Reactor
    /// The address of the peer; an IPv4 peer of a dual-stack listener appears as IPv4.
    public let peerAddress: NetAddress
    /// Its number among the connections that its server has accepted, in their order: the first is
    /// 1. 0 for a connection that no server accepted.
    public let number: UInt64

    // In the order in which the fewest bytes are lost between them: an idle connection is little
    // else than this object (IdleMemoryTests).
    let group: ConnectionGroup
    let loopConnections: LoopConnections
    var handler: (any TCPConnectionHandler)?
    var registration: Registration?
    /// Nil: the bytes of the handler are those of the socket.
    let security: ConnectionSecurity?
    var machine = ConnectionState()

    /// `withInput` is using the input: its memory must stay.
    var isInputInUse = false
    /// `tickEnding` will be called at the end of this tick.
    var awaitsTickEnd = false
    /// The kernel's buffer is full; the poller reports when it has room.
    var waitsForRoom = false
    var waterMark = WaterMark.below
    var isReadingPaused = false
    /// Reading was resumed with input left, which is delivered again at the end of the tick.
    var needsRedelivery = false
    /// The handler knows that the server drains, or will.
    private var isDraining = false
    /// Answers are being checked, or never are: the connection is none over TCP, or has no limit.
    var awaitsAnswers: Bool

    // SAFETY of all five: bound to one thread, and what runs inside an access does not use the
    // connection again; the documentation of `write` forbids it to the closure. The checks cost
    // more than the work.
    /// The output has memory and is open, and the end of the tick will flush it.
    @exclusivity(unchecked) @usableFromInline var isWritePrepared = false
    @exclusivity(unchecked) @usableFromInline var output = OutputQueue()
    /// With more own bytes than this in the output, the limits are checked.
    @exclusivity(unchecked) @usableFromInline var nextCheckBytes: Int
    /// What the handler left. Moved out while the handler uses it.
    @exclusivity(unchecked) @usableFromInline var input = ByteBuffer()
    /// Nil once closed.
    @exclusivity(unchecked) var socket: StreamSocket?
    /// Index in the loop's list; negative before `start`.
    var slot: Int32 = -1
    var deadlines: ConnectionDeadlines
    /// When the answers of the peer's machine are checked next; the distant future: never.
    var answerCheckAt = MonotonicTime.distantFuture
    /// Used while `answerCheckAt` is set.
    var liveness: PeerLiveness
    var readSize = AdaptiveReadSize(least: 2 << 10, most: 256 << 10)
    /// Bytes of this connection that the server's limiter has recorded.
    var recordedBytes = 0
    /// Memory that the handler holds for this connection besides its buffers, such as messages that
    /// it queues while the peer reads slowly: 0 or more bytes, default 0. The server's budget counts
    /// it as output of the connection; where the budget is used up, setting it may close this
    /// connection, as a write may. No effect once closed.
    public var handlerBytes = 0 {
        didSet { if handlerBytes != oldValue, !machine.isClosed { _ = recordHeldBytes() } }
    }
    /// Bytes that the kernel has taken in all.
    var sentTotal: UInt64 = 0
    /// Bytes that the peer's machine is known to have acknowledged, of those that were sent.
    var acknowledgedTotal: UInt64 = 0
    /// Bytes that were read in all.
    var receivedTotal: UInt64 = 0
    /// The reason of the end, until the handler is notified of it.
    private var unreportedReason: CloseReason?

    init(
        _ socket: consuming Socket, peer: NetAddress, group: ConnectionGroup,
        handler: any TCPConnectionHandler, on reactor: Reactor, number: UInt64 = 0,
        security: ConnectionSecurity? = nil
    ) {
        self.reactor = reactor
        self.security = security
        self.number = number
        self.group = group
        self.handler = handler
        peerAddress = peer
        loopConnections = LoopConnections.of(reactor)
        deadlines = ConnectionDeadlines(now: reactor.now)
        liveness = PeerLiveness(sentAt: reactor.now)
        awaitsAnswers = peer.isUnix || group.limits.answer == .max
        unsafe nextCheckBytes = group.firstCheckBytes
        unsafe self.socket = StreamSocket(socket: socket)
    }

    deinit {
        if slot < 0 || machine.isClosed { return }
        // Keep the connection counters balanced if the loop ended while this was open.
        if recordedBytes != 0 { _ = group.limiter?.recordBytes(-recordedBytes) }
        group.limiter?.release(peerAddress)
    }

    /// Makes a connection of a connected stream socket, such as one end of a socket pair. Calls
    /// the handler's `connected` before this returns; where the loop can't watch the socket, only
    /// `closed`, at the end of the tick.
    ///
    /// - Parameter security: what protects the connection; nil: nothing. With one, `connected` is
    ///   called when its handshake has ended, and only `closed` where that fails.
    @discardableResult
    public static func adopt(
        _ descriptor: consuming FileDescriptor, on reactor: Reactor,
        configuration: TCPConnectionConfiguration = TCPConnectionConfiguration(),
        number: UInt64 = 0, security: (any SecureSession)? = nil,
        handler: any TCPConnectionHandler
    ) -> TCPConnection {
        let peer = NetAddress((try? descriptor.peerAddress()) ?? .unnamed).unmapped
        let connection = TCPConnection(
            Socket(descriptor), peer: peer, group: ConnectionGroup(configuration), handler: handler,
            on: reactor, number: number, security: security.map { ConnectionSecurity($0) })
        // Without a `connected` before it: there is no one else to report the error to.
        do { try connection.start() } catch { connection.handler = handler }
        return connection
    }
}

// MARK: - Observation

extension TCPConnection {
    /// The phase of a connection's life.
    public enum State: Sendable {
        /// The connection is not established yet.
        case connecting
        /// Both directions are open.
        case connected
        /// One direction has ended.
        case halfClosed
        /// A close was requested; the remaining output is being sent.
        case draining
        /// The connection has ended.
        case closed
    }

    /// The phase of its life.
    public var state: State {
        switch machine.phase {
        case .connecting: .connecting
        case .connected: .connected
        case .halfClosed: .halfClosed
        case .draining: .draining
        case .closed: .closed
        }
    }

    /// False from the write that passes the high water mark until a flush leaves no more than the
    /// low one, and once closing. A producer that observes false can rely on
    /// `writabilityChanged(isWritable: true)`, unless the connection closes first.
    public var isWritable: Bool { !isOutputFull && machine.acceptsOutput }

    /// Whether more than the high water mark waits to be sent, and has not fallen to the low one.
    public var isOutputFull: Bool { waterMark != .below }

    /// Bytes that wait to be sent.
    public var pendingBytes: Int { waitingBytes }

    /// Bytes of the handler that the kernel has taken to send, from the first one on. What was
    /// written after them has not been sent, and never will be once the connection is closed.
    public var sentBytes: UInt64 { security?.sentPlaintext ?? sentTotal }

    /// What has been sent and received, as it was on the wire.
    public var traffic: ConnectionTraffic {
        ConnectionTraffic(
            receivedBytes: receivedTotal, sentBytes: security?.sentBytes ?? sentTotal,
            isEncrypted: security != nil, lastActive: deadlines.activeAt,
            lastSent: deadlines.sentAt.nanoseconds > 0 ? deadlines.sentAt : nil)
    }

    /// Bytes that the kernel holds for the peer: they were sent, and the peer's machine has not
    /// acknowledged them, or on a Unix socket the peer has not read them, about. Asks the kernel, unless
    /// everything that was sent is known to be acknowledged.
    public func unacknowledgedBytes() -> Int {
        let sent = traffic.sentBytes
        if sent == acknowledgedTotal { return 0 }
        guard let queued = unsafe try? socket?.socket.queuedOutputBytes() else { return 0 }
        acknowledgedTotal = sent - min(sent, UInt64(queued))
        return queued
    }

    /// Bytes that wait in either direction.
    public var bufferedBytes: Int { waitingBytes + (unsafe input.readableBytes) }

    /// Bytes that wait to be sent, encrypted or not.
    var waitingBytes: Int { (unsafe output.count) + (security?.output.readableBytes ?? 0) }

    /// Memory held for this connection in either direction, filled or not.
    @_spi(TestKit) public var heldBytes: Int {
        (unsafe output.own.capacityBytes) + (unsafe input.capacityBytes)
    }

    /// Memory that the output holds: that of its buffer, filled or not, the shared bytes, which
    /// count for each connection that they wait for, and what the handler holds.
    var heldOutputBytes: Int {
        unsafe output.own.capacityBytes + output.sharedBytes + handlerBytes
            + (security?.heldBytes ?? 0)
    }

    /// The address of this end, read from the kernel each time; unnamed once closed.
    public var localAddress: NetAddress {
        NetAddress((unsafe try? socket?.socket.localAddress()) ?? .unnamed).unmapped
    }

    /// What the peer has proved of itself: by a certificate, or by the kernel on a Unix socket. Reads
    /// it each time; `none` once closed.
    public var peerIdentity: PeerIdentity {
        if let identity = security?.peerIdentity, identity != .none { return identity }
        guard peerAddress.isUnix, let process = unsafe try? socket?.socket.peerCredentials() else {
            return .none
        }
        return .unix(process)
    }
}

extension TCPConnection: CustomStringConvertible {
    /// The address of the peer, for log lines.
    public var description: String { peerAddress.description }
}

// MARK: - Starting and closing

extension TCPConnection {
    /// How a connection is closed.
    public enum Closing: Sendable {
        /// After the remaining output has been sent. The peer has `closeTimeout` to take it, and
        /// `lingerTimeout` to end its side.
        case afterFlush
        /// At once. The remaining output is lost.
        case now
        /// At once, and over TCP by a reset instead of an ordinary end, so that the peer need not
        /// finish anything. Bytes that the kernel still holds are lost, too.
        case reset
    }

    /// Passes all later events to another handler, which is not notified of `connected`. Without
    /// effect once the connection is closed.
    public func replaceHandler(_ new: any TCPConnectionHandler) {
        if handler != nil { handler = new }
    }

    /// Closes the connection. The handler's `closed` is called at the end of the tick in which the
    /// connection has ended, and nothing else from now on. Again: only `.now` or `.reset` after
    /// `.afterFlush` has an effect.
    public func close(_ how: Closing = .afterFlush, reason: CloseReason = .requested) {
        switch how {
        case .afterFlush: perform(machine.handle(.closeAfterFlush(reason)))
        case .now: perform(machine.handle(.closeNow(reason)))
        case .reset:
            unsafe socket?.resetOnClose()
            perform(machine.handle(.closeNow(reason)))
        }
    }

    /// Registers with the poller and calls the handler's `connected`.
    ///
    /// - Throws: the error of the poller. The connection is closed then, and its handler, which has
    ///   not been called yet, never is.
    func start() throws(SystemError) {
        loopConnections.add(self)
        do {
            try register()
        } catch {
            handler = nil
            perform(machine.handle(.failed(.failed(error))))
            throw error
        }
        if let security { return beginHandshake(security) }
        perform(machine.handle(.connected))
        expectDeadline()
    }

    func register() throws(SystemError) {
        var interest: IOInterest = []
        if wantsRead || machine.isConnecting { interest.insert(.read) }
        if waitsForRoom { interest.insert(.write) }
        registration = try unsafe socket?.register(interest, handler: self, on: reactor)
    }

    /// Calls the handler's `draining`, once: the server drains. During a handshake once that has
    /// ended.
    func drain() {
        if machine.isClosed || isDraining { return }
        isDraining = true
        if machine.isConnecting, let security {
            security.drainsLater = true
        } else {
            handler?.draining(self)
        }
    }

    /// Calls the handler's `drainTimedOut`: the time for the drain is up. Closes a connection whose
    /// handshake has not ended.
    func drainTimedOut() {
        if machine.isClosed { return }
        if machine.isConnecting {
            close(.now, reason: .drained)
        } else {
            handler?.drainTimedOut(self)
        }
    }

    /// Performs what the state machine has decided.
    func perform(_ action: ConnectionState.Action) {
        switch action {
        case .nothing: return
        case .notifyConnected: handler?.connected(self)
        case .notifyInputEnded: handler?.inputEnded(self)
        case .flush: beginEnding()
        case .sendEnd: sendEnd()
        case .close(let reason): return shut(reason)
        }
        updateInterest()
    }

    /// Prepares to end the output, or the connection, after the next complete flush.
    private func beginEnding() {
        unsafe isWritePrepared = false
        if machine.closing != nil {
            deadlines.closeBegan(at: reactor.now)
            expectDeadline()
        }
        requestTickEnd()
    }

    private func sendEnd() {
        do {
            try unsafe socket?.sendEnd()
        } catch {
            return perform(machine.handle(.failed(CloseReason(error))))
        }
        // It waits for the peer's end no longer than its linger timeout.
        expectDeadline()
    }

    /// Releases the socket and all buffers now; the handler is notified at the end of the tick.
    private func shut(_ reason: CloseReason) {
        registration?.cancel()
        registration = nil
        unsafe socket = nil
        unsafe isWritePrepared = false
        unsafe output.removeAll()
        releaseInput()
        loopConnections.remove(self)
        if recordedBytes != 0 { _ = group.limiter?.recordBytes(-recordedBytes) }
        recordedBytes = 0
        group.limiter?.release(peerAddress)
        security?.abandonStep()
        if let security, let ended = security.handshakeEnded.take() {
            // The handler has not been called, and never is.
            handler = nil
            ended(self, reason)
        }
        unreportedReason = reason
        requestTickEnd()
    }

    func notifyClosed() {
        guard let reason = unreportedReason else { return }
        unreportedReason = nil
        handler?.closed(self, reason: reason)
        handler = nil
    }
}
