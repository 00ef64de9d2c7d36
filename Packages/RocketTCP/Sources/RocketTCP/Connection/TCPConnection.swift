public import RocketBase
public import RocketReactor
public import RocketSystem

/// One connection of bytes: it reads once per readiness, and writes once per tick all that was
/// queued in that tick. Belongs to its loop from the first byte to the last; every function is
/// for that loop's thread only. What the bytes mean is the handler's business.
///
/// Idle, it holds no buffer: reads go into the loop's, and only what a handler leaves stays here.
public final class TCPConnection {
    /// The loop that it belongs to.
    public let reactor: Reactor
    /// The other end; an IPv4 peer of a dual-stack listener appears as IPv4.
    public let peerAddress: NetAddress
    /// Which one it is of those that its server has accepted, in their order: the first is 1.
    /// 0 where no server accepted it.
    public let number: UInt64

    let owner: ConnectionGroup
    let resources: LoopConnections
    var handler: (any TCPConnectionHandler)?
    var registration: Registration?

    // SAFETY of all five: bound to one thread, and what runs inside an access does not come back to
    // the connection; `write`'s closure is told not to. The checks cost more than the work.
    @exclusivity(unchecked) @usableFromInline var output = OutputQueue()
    /// True: the output has memory, is open, and the tick's end will flush it.
    @exclusivity(unchecked) @usableFromInline var isWritePrepared = false
    /// With more own bytes than this to send, the limits are looked at.
    @exclusivity(unchecked) @usableFromInline var lookAtBytes: Int
    /// What the handler left. Moved out while the handler has it.
    @exclusivity(unchecked) @usableFromInline var input = ByteBuffer()
    /// Nil once closed.
    @exclusivity(unchecked) var transport: Transport?
    var machine = ConnectionState()
    var clock: ConnectionDeadlines
    var readSize = AdaptiveReadSize(least: 2 << 10, most: 256 << 10)

    /// `withInput` is at it: its memory has to stay.
    var isInputLent = false
    /// In the loop's list for the tick's end.
    var isEnrolled = false
    /// The socket is full; the poller tells when not.
    var waitsForRoom = false
    var waterMark = WaterMark.below
    var isReadingPaused = false
    /// Reading was resumed with input left: hand it over again at the tick's end.
    var needsRedelivery = false
    /// Bytes that the server's ledger knows of.
    var accounted = 0
    /// Place in the loop's list; negative: was never there.
    var slot = -1
    /// Bytes that the kernel took, from the first on.
    var sentTotal: UInt64 = 0
    /// What the handler is still to be told.
    var untoldReason: CloseReason?
    private var local: NetAddress?

    init(
        _ descriptor: consuming FileDescriptor, peer: NetAddress, owner: ConnectionGroup,
        handler: any TCPConnectionHandler, on reactor: Reactor, number: UInt64 = 0
    ) {
        self.reactor = reactor
        self.number = number
        self.owner = owner
        self.handler = handler
        peerAddress = peer
        resources = LoopConnections.of(reactor)
        clock = ConnectionDeadlines(now: reactor.now)
        unsafe lookAtBytes = owner.firstLookBytes
        unsafe transport = Transport(descriptor: descriptor)
    }

    deinit {
        // Its loop has ended with the connection open: the books stay right.
        if slot < 0 || machine.isClosed { return }
        if accounted != 0 { _ = owner.ledger?.account(-accounted) }
        owner.ledger?.release(peerAddress)
    }
}

// MARK: - What can be seen

extension TCPConnection {
    /// Where a connection is in its life.
    public enum State: Sendable {
        /// Not up yet.
        case connecting
        /// Both directions are open.
        case connected
        /// One direction has ended.
        case halfClosed
        /// A close was asked for; what waits is being sent.
        case draining
        /// Over.
        case closed
    }

    /// Where it is in its life.
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
    public var isWritable: Bool { waterMark == .below && machine.acceptsOutput }

    /// Bytes that wait to be sent.
    public var pendingBytes: Int { unsafe output.count }

    /// Bytes that the kernel took to send, from the first one on: what was written after them has
    /// not left, and never will once the connection is closed.
    public var sentBytes: UInt64 { sentTotal }

    /// Bytes held for this connection in either direction.
    public var bufferedBytes: Int { (unsafe output.count) + (unsafe input.readableBytes) }

    /// Memory held for this connection in either direction, filled or not.
    @_spi(TestKit) public var heldBytes: Int {
        (unsafe output.own.capacityBytes) + (unsafe input.capacityBytes)
    }

    /// Its own end, asked of the kernel on first use; unnamed once closed.
    public var localAddress: NetAddress {
        if let local { return local }
        let own = unsafe try? transport?.descriptor.localAddress()
        let address = NetAddress(own ?? .unnamed).unmapped
        if !machine.isClosed { local = address }
        return address
    }

    /// The process at the other end of a Unix socket.
    ///
    /// - Throws: `SystemError` for other sockets and once closed.
    public func peerCredentials() throws(SystemError) -> PeerCredentials? {
        try unsafe transport?.descriptor.peerCredentials()
    }
}

extension TCPConnection: CustomStringConvertible {
    /// The peer, for log lines.
    public var description: String { peerAddress.description }
}
