import RocketBase
import RocketReactor
import RocketSystem
@_spi(Transport) import RocketTCP

/// What one loop says of itself for a snapshot. A value.
struct LoopReport: Sendable {
    var loop: RPCServerSnapshot.Loop
    /// At most as many as were asked for.
    var connections: [RPCServerSnapshot.Connection] = []
    var connectionsLeftOut = 0
    /// The most calls in flight, and streams, of any of its connections.
    var mostCalls = 0
    var mostStreams = 0
    var keptCalls: [KeptCall] = []
    var lastErrors: [LastError] = []

    /// What is known of a loop without its answer.
    init(of loop: EventLoop) {
        self.loop = RPCServerSnapshot.Loop(name: loop.name)
        readCounters(of: loop)
    }

    /// - Parameter scheduler: that of the loop; nil: it has had no connection.
    init(on reactor: Reactor, _ scheduler: HandlerScheduler?, maxConnections: Int) {
        loop = RPCServerSnapshot.Loop(name: reactor.loop.name)
        readCounters(of: reactor.loop)
        loop.busy = .nanoseconds(Int64(clamping: reactor.workedNanoseconds))
        loop.delay = .nanoseconds(Int64(clamping: reactor.latenessNanoseconds))
        loop.tasksWaiting = reactor.waitingTasks
        guard let scheduler else { return }
        loop.handlerTasks = scheduler.taskCount
        keptCalls = scheduler.metrics?.keptCalls ?? []
        lastErrors = scheduler.metrics?.errors ?? []
        addConnections(of: scheduler, atMost: maxConnections)
    }

    /// The counts that any thread can read.
    private mutating func readCounters(of loop: EventLoop) {
        let counters = loop.statistics
        self.loop.ticks = counters.ticks
        self.loop.longestCallback = .nanoseconds(
            Int64(clamping: counters.longestCallbackNanoseconds))
        self.loop.slowCallbacks = counters.slowCallbacks
        self.loop.mostTasksWaiting = counters.mostTasksWaiting
    }

    /// The most connections of which it is asked what the kernel holds for them, beyond those of the
    /// table.
    private static let maxExamined = 10_000

    private mutating func addConnections(of scheduler: HandlerScheduler, atMost limit: Int) {
        let open = scheduler.openConnections
        let silent = scheduler.silent.inOrder.compactMap { $0.described(on: scheduler.reactor) }
        let handshakes = UnfinishedHandshake.all(on: scheduler.reactor)
        for connection in open {
            mostCalls = max(mostCalls, connection.callsInFlight)
            mostStreams = max(mostStreams, connection.streams?.count ?? 0)
        }
        loop.connections = open.count + silent.count + handshakes.count
        var described = open.prefix(max(limit, Self.maxExamined)).map {
            $0.described(on: scheduler.reactor)
        }
        described += silent
        described += handshakes.map { $0.described(on: scheduler.reactor) }
        connectionsLeftOut = loop.connections - min(limit, described.count)
        connections = described.largest(limit)
    }

    /// The loop has not answered: these are its numbers of before, and what any thread can read.
    func stuck(_ loop: EventLoop, now: MonotonicTime) -> LoopReport {
        var report = self
        report.readCounters(of: loop)
        let progress = loop.lastProgress
        report.loop.isStuck = true
        report.loop.stuckFor = progress.isWaiting ? .zero : max(.zero, now - progress.since)
        return report
    }
}

extension [RPCServerSnapshot.Connection] {
    /// Those that a table has which has no room for all: with the most bytes that wait for the peer, then
    /// with the most calls in flight, then the oldest.
    func largest(_ limit: Int) -> [Element] {
        if count <= limit { return self }
        func rank(_ connection: Element) -> (Int, Int, UInt64) {
            (
                connection.unsentBytes + connection.kernelBytes, connection.callsInFlight,
                .max - connection.id
            )
        }
        return [Element](sorted { rank($0) > rank($1) }.prefix(limit))
    }
}

extension ServerConnection {
    fileprivate func described(on reactor: Reactor) -> RPCServerSnapshot.Connection {
        var result = RPCServerSnapshot.Connection(id: number, peer: peers.peer)
        result.identity = peers.identityText
        result.wire = wire
        result.phase = ending.isDraining ? .draining : .open
        result.age = reactor.now - openedAt
        result.callsInFlight = callsInFlight
        result.openStreams = streams?.count ?? 0
        result.unsentBytes = (transport?.pendingBytes ?? 0) + (streams?.outboundBytes ?? 0)
        result.kernelBytes = transport?.unacknowledgedBytes() ?? 0
        result.add(transport?.traffic ?? ConnectionTraffic(), on: reactor)
        result.unreadFor = reading.look(
            sent: result.sentBytes, inKernel: result.kernelBytes, unsent: result.unsentBytes,
            at: reactor.now)
        return result
    }
}

extension WireSelection {
    /// nil: it has ended.
    fileprivate func described(on reactor: Reactor) -> RPCServerSnapshot.Connection? {
        guard let transport else { return nil }
        var result = RPCServerSnapshot.Connection(id: number, peer: transport.peerAddress)
        result.identity = transport.peerIdentity.shownText
        result.wire = ""
        result.phase = .silent
        result.age = reactor.now - since
        result.add(transport.traffic, on: reactor)
        return result
    }
}

extension UnfinishedHandshake {
    fileprivate func described(on reactor: Reactor) -> RPCServerSnapshot.Connection {
        let number =
            (handler as? ServerConnection)?.number ?? (handler as? WireSelection)?.number ?? 0
        var result = RPCServerSnapshot.Connection(id: number, peer: peerAddress)
        result.wire = ""
        result.phase = .handshake
        result.age = reactor.now - since
        result.add(traffic, on: reactor)
        return result
    }
}

extension RPCServerSnapshot.Connection {
    fileprivate mutating func add(_ traffic: ConnectionTraffic, on reactor: Reactor) {
        loop = reactor.loop.name
        isEncrypted = traffic.isEncrypted
        idle = max(.zero, reactor.now - (traffic.lastActive ?? reactor.now))
        receivedBytes = traffic.receivedBytes
        sentBytes = traffic.sentBytes
    }
}

extension ConnectionPeers {
    /// What the caller has proved, as text; empty: nothing.
    var identityText: String {
        token.map { "token:\($0.subject)".shownIdentity } ?? identity.shownText
    }
}

extension PeerIdentity {
    /// As text; empty: nothing is proved.
    fileprivate var shownText: String { self == .none ? "" : description.shownIdentity }
}

extension String {
    /// The first 256 characters: a peer determines how long its identity is.
    fileprivate var shownIdentity: String { String(prefix(256)) }
}
