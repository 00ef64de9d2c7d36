@_spi(Simulation) import RocketReactor
@_spi(Simulation) import RocketSystem

// SAFETY: confined to the world's thread; `World.schedule` and each system call check it.

/// A stream socket of a simulated host: a listener, or one end of a connection. Behaves as TCP of
/// Linux does towards its owner, in its results and errors.
final class SocketEnd: SimulatedSocket, @unchecked Sendable {
    enum Phase { case fresh, listening, connecting, established }

    let host: Host
    /// -1 while it waits in a backlog.
    private(set) var number: Int32
    private(set) var phase = Phase.fresh
    private(set) var local: SocketAddress?
    private(set) var remote: SocketAddress?
    private(set) var outgoing: Direction?
    private(set) var peer: SocketEnd?
    /// The owner has not closed it.
    private(set) var isOpen = true
    /// The kernel knows it no more: it was reset, or has lost its power.
    private(set) var isGone = false
    private var error: Errno?
    private var resetsOnClose = false

    // Sending.
    private(set) var unsent = ByteQueue()
    private var isEndQueued = false
    private var isEndSent = false
    // Receiving.
    private var received = ByteQueue()
    private var isEndReceived: Bool { endReceivedAt != nil }
    private(set) var endReceivedAt: MonotonicTime?
    private(set) var lastAnswer = VirtualTime.start
    /// The host of the other end had no power when something arrived there.
    private var isUnanswered = false

    // Listening.
    private var backlog = 0
    private var waiting: [SocketEnd] = []

    /// The loop that watches it.
    var watcher: HostLoop?

    init(on host: Host, number: Int32) {
        self.host = host
        self.number = number
    }

    /// The port that it is bound to.
    var port: UInt16? {
        if case .ipv4(_, let port)? = local { port } else { nil }
    }

    var world: World { host.world }
    private var limits: SocketLimits { host.socketLimits }

    // MARK: Readiness

    /// What epoll(7) reports, whatever the interest is.
    var events: IOEvents {
        switch phase {
        case .fresh: return .hangup
        case .listening: return waiting.isEmpty ? [] : .readable
        case .connecting:
            return error == nil ? [] : [.error, .hangup, .readable, .writable]
        case .established: break
        }
        var events: IOEvents = []
        if !received.isEmpty || isEndReceived || isGone { events.insert(.readable) }
        if freeBytes >= limits.sendBufferBytes / 3 || isGone { events.insert(.writable) }
        if isEndReceived { events.insert(.readHangup) }
        if isGone || isEndReceived && isEndSent { events.insert(.hangup) }
        if error != nil { events.insert(.error) }
        return events
    }

    private func changed() { watcher?.changed(self) }

    private var freeBytes: Int {
        limits.sendBufferBytes - unsent.count - (outgoing?.inFlightBytes ?? 0)
    }

    // MARK: Connecting

    func bind(to address: SocketAddress) throws(SystemError) {
        host.kernel.checkCall()
        local = try host.kernel.bound(address)
    }

    func listen(backlog: Int) throws(SystemError) {
        host.kernel.checkCall()
        guard let local else { throw SystemError("listen", .invalid) }
        try host.kernel.listen(self, on: local)
        self.backlog = max(1, backlog)
        phase = .listening
    }

    func accept() throws(SystemError) -> (socket: any SimulatedSocket, peer: SocketAddress)? {
        host.kernel.checkCall()
        if waiting.isEmpty { return nil }
        // Accepting needs a descriptor before it takes the connection.
        let number = try host.kernel.freeNumber("accept4")
        let accepted = waiting.removeFirst()
        accepted.number = number
        host.kernel.opened(accepted)
        return (accepted, try accepted.peerAddress())
    }

    func connect(to address: SocketAddress) throws(SystemError) -> ConnectOutcome {
        host.kernel.checkCall()
        guard let target = world.host(of: address) else {
            throw SystemError("connect", .hostUnreachable)
        }
        local = local ?? host.kernel.ephemeral()
        remote = address
        phase = .connecting
        request(target, attempt: 0)
        return .inProgress
    }

    /// Sends a SYN; again after 1, 2, 4, … seconds while nothing answers, as Linux does.
    private func request(_ target: Host, attempt: Int) {
        guard isOpen, phase == .connecting, error == nil else { return }
        if attempt == 7 { return failConnect(.timedOut) }
        let path = world.path(from: host, to: target)
        world.schedule(at: path.arrival(byteCount: 0)) { [self] in
            guard isOpen, phase == .connecting else { return }
            if !path.isCut, target.isPowered, answer(target, path) { return }
            world.schedule(after: .seconds(1 << min(attempt, 6))) { [self] in
                request(target, attempt: attempt + 1)
            }
        }
    }

    /// The SYN has arrived.
    ///
    /// - Returns: whether the target answers.
    private func answer(_ target: Host, _ path: Path) -> Bool {
        let back = world.path(from: target, to: host)
        guard let remote, let local, let listener = target.kernel.listener(at: remote) else {
            world.schedule(at: back.arrival(byteCount: 0)) { [self] in
                failConnect(.connectionRefused)
            }
            return true
        }
        // A full backlog drops the SYN.
        if listener.waiting.count >= listener.backlog { return false }
        let end = SocketEnd(on: target, number: -1)
        end.phase = .established
        (end.local, end.remote) = (remote, local)
        (end.peer, peer) = (self, end)
        end.outgoing = Direction(over: back, to: self)
        outgoing = Direction(over: path, to: end)
        world.connected(self, end)
        end.lastAnswer = world.now
        end.outgoing?.send(.established)
        listener.waiting.append(end)
        listener.changed()
        return true
    }

    private func failConnect(_ errno: Errno) {
        guard isOpen, phase == .connecting, error == nil else { return }
        world.record("connect failed", host.index, UInt64(errno.rawValue)) { [self] in
            "\(host.name): connect failed: \(errno)"
        }
        error = errno
        changed()
    }

    // MARK: Bytes

    func receive(into bytes: UnsafeMutableRawBufferPointer) throws(SystemError) -> IOResult<Int> {
        host.kernel.checkCall()
        if !received.isEmpty {
            let count = world.shortened(min(bytes.count, received.count), on: outgoing?.path)
            unsafe received.copyFirst(count, to: bytes)
            openWindow()
            return .done(count)
        }
        if let error = takeError() { throw SystemError("recv", error) }
        if isEndReceived || isGone { return .done(0) }
        return phase == .established ? .wouldBlock : .done(0)
    }

    func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> IOResult<Int> {
        host.kernel.checkCall()
        if let error = takeError() { throw SystemError("send", error) }
        if isGone || isEndQueued { throw SystemError("send", .brokenPipe) }
        guard phase == .established else { throw SystemError("send", .notConnected) }
        let free = freeBytes
        if free <= 0 { return .wouldBlock }
        let count = world.shortened(min(bytes.count, free), on: outgoing?.path)
        unsafe unsent.append(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        pump()
        return .done(count)
    }

    /// Sends what the window of the other end admits, then the end of the stream.
    private func pump() {
        guard phase == .established, !isGone, let outgoing, let peer else { return }
        while !unsent.isEmpty {
            let window = peer.window - outgoing.inFlightBytes
            if window <= 0 { return }
            let most = min(unsent.count, window, max(1, outgoing.path.conditions.segmentBytes))
            outgoing.send(.bytes(unsent.removeFirst(world.split(most, on: outgoing.path))))
        }
        if isEndQueued, !isEndSent {
            isEndSent = true
            outgoing.send(.end)
            changed()
        }
    }

    private var window: Int { max(0, limits.receiveBufferBytes - received.count) }

    /// Notifies the other end that there is room.
    private func openWindow() {
        guard let outgoing, let peer, !peer.unsent.isEmpty else { return }
        let path = outgoing.path
        world.schedule(at: path.arrival(byteCount: 0)) {
            if path.isCut { path.hold { peer.pump() } } else { peer.pump() }
        }
    }

    /// Takes a segment from the other end.
    func arrived(_ segment: Segment) {
        guard host.isPowered else {
            peer?.isUnanswered = true
            return
        }
        if isGone {
            if case .reset = segment { return }
            outgoing?.send(.reset)
            return
        }
        peer?.answered()
        world.received(segment, by: self)
        // Room in the send buffer of the other end.
        defer { if segment.byteCount > 0 { peer?.changed() } }
        switch segment {
        case .established:
            guard isOpen else { return reset() }
            phase = .established
            pump()
        case .bytes(let bytes):
            // Bytes for an owner that has closed the socket.
            guard isOpen else { return reset() }
            received.append(bytes)
        case .end: endReceivedAt = world.now
        case .reset:
            isGone = true
            error = phase == .connecting ? .connectionRefused : .connectionReset
            unsent = ByteQueue()
        }
        changed()
    }

    /// The kernel of the other end has acknowledged something, unless its answer is lost.
    private func answered() {
        guard let peer, let back = peer.outgoing?.path, !back.isCut else { return }
        lastAnswer = world.now
    }

    // MARK: Ending

    func shutdownSending() throws(SystemError) {
        host.kernel.checkCall()
        guard phase == .established, !isGone else { throw SystemError("shutdown", .notConnected) }
        isEndQueued = true
        pump()
    }

    func setResetOnClose() { resetsOnClose = true }

    func takeError() -> Errno? { error.take() }

    func close() {
        guard isOpen else { return }
        isOpen = false
        host.kernel.closed(self)
        watcher?.forget(number)
        watcher = nil
        switch phase {
        case .fresh, .connecting: break
        case .listening:
            for end in waiting { end.reset() }
            waiting = []
        case .established:
            if isGone { break }
            if resetsOnClose || !received.isEmpty { return reset() }
            isEndQueued = true
            pump()
        }
    }

    /// Sends a RST, and forgets the connection.
    func reset() {
        if isGone { return }
        isGone = true
        unsent = ByteQueue()
        outgoing?.send(.reset)
        changed()
    }

    /// Breaks the connection as a firewall or a middlebox does: both ends get a reset.
    func breakConnection() {
        guard phase == .established, let peer else { return }
        for end in [self, peer] where !end.isGone {
            end.isGone = true
            end.error = .connectionReset
            end.unsent = ByteQueue()
            end.changed()
        }
    }

    /// Ends without a word: the host has lost its power.
    func vanish() {
        isOpen = false
        isGone = true
        watcher?.forget(number)
        watcher = nil
        unsent = ByteQueue()
        received = ByteQueue()
        for end in waiting { end.vanish() }
        waiting = []
    }

    /// The host of the other end runs again after a loss of power, and knows this connection no more:
    /// it answers by a reset to what TCP sends again, to a probe of a window that was closed, or to a
    /// keepalive probe.
    func peerRestarted() {
        guard isOpen, !isGone, phase == .established, let peer, peer.isGone else { return }
        let delay =
            isUnanswered || !unsent.isEmpty
            ? Duration.zero...Path.longestResend : Self.keepaliveDelay
        world.schedule(after: world.networkRandom.duration(in: delay)) { [self] in
            if peer.host.isPowered, !isGone { peer.outgoing?.send(.reset) }
        }
    }

    /// When a probe finds out, with Rocket's default for connections: 10 s of silence, then every 3 s.
    private static let keepaliveDelay = Duration.seconds(10)...Duration.seconds(13)

    /// Releases the other end.
    func release() {
        peer = nil
        outgoing = nil
    }
}
