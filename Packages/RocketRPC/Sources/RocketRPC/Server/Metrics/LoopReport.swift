import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

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

    private mutating func addConnections(of scheduler: HandlerScheduler, atMost limit: Int) {
        var open = scheduler.openConnections
        for connection in open {
            mostCalls = max(mostCalls, connection.callsInFlight)
            mostStreams = max(mostStreams, connection.streams?.count ?? 0)
        }
        loop.connections = open.count
        if open.count > limit {
            connectionsLeftOut = open.count - limit
            let ranked = open.map {
                ($0, ConnectionRank($0.transport?.pendingBytes ?? 0, $0.callsInFlight, $0.number))
            }
            open = ranked.sorted { $0.1 > $1.1 }.prefix(limit).map(\.0)
        }
        connections = open.map { $0.described(on: scheduler.reactor) }
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

/// Which connections a table has when it has no room for all: those with the most unsent bytes, then
/// with the most calls in flight, then the oldest.
struct ConnectionRank: Comparable {
    private let unsentBytes: Int
    private let callsInFlight: Int
    private let number: UInt64

    init(_ unsentBytes: Int, _ callsInFlight: Int, _ number: UInt64) {
        self.unsentBytes = unsentBytes
        self.callsInFlight = callsInFlight
        self.number = number
    }

    static func < (one: Self, other: Self) -> Bool {
        if one.unsentBytes != other.unsentBytes { return one.unsentBytes < other.unsentBytes }
        if one.callsInFlight != other.callsInFlight {
            return one.callsInFlight < other.callsInFlight
        }
        return one.number > other.number
    }
}

extension ServerConnection {
    fileprivate func described(on reactor: Reactor) -> RPCServerSnapshot.Connection {
        var result = RPCServerSnapshot.Connection(id: number, peer: peers.peer)
        let traffic = transport?.traffic
        result.identity = peers.identityText
        result.wire = wire
        result.isEncrypted = traffic?.isEncrypted ?? false
        result.isDraining = ending.isDraining
        result.loop = reactor.loop.name
        result.age = reactor.now - openedAt
        result.idle = max(.zero, reactor.now - (traffic?.lastActive ?? reactor.now))
        result.callsInFlight = callsInFlight
        result.openStreams = streams?.count ?? 0
        result.unsentBytes = transport?.pendingBytes ?? 0
        result.receivedBytes = traffic?.receivedBytes ?? 0
        result.sentBytes = traffic?.sentBytes ?? 0
        return result
    }
}

extension ConnectionPeers {
    private static let maxIdentityCharacters = 256

    /// What the caller has proved, as text; empty: nothing.
    var identityText: String {
        let text: String
        if let token {
            text = "token:\(token.subject)"
        } else {
            text = identity == .none ? "" : identity.description
        }
        return String(text.prefix(Self.maxIdentityCharacters))
    }
}
