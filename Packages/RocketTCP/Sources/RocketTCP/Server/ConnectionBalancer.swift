import RocketBase
import RocketReactor
import RocketSystem

/// Takes a look at the load of a server's loops once a second while it has connections, and has some
/// of them move. Bound to the main loop.
final class ConnectionBalancer {
    private let loops: [EventLoop]
    private let context: ServerContext
    private unowned let reactor: Reactor
    private var balance = LoopBalance()
    private var timer: ScheduledTimer?

    init(_ loops: [EventLoop], _ context: ServerContext, on reactor: Reactor) {
        self.loops = loops
        self.context = context
        self.reactor = reactor
    }

    /// There are connections. Again: no effect.
    func start() {
        if timer != nil { return }
        balance = LoopBalance()
        look()
        timer = reactor.schedule(every: LoopBalance.interval, label: "connection balance") {
            [weak self] _ in self?.look()
        }
    }

    /// Takes no more looks until `start`.
    func stop() {
        timer?.cancel()
        timer = nil
    }

    private func look() {
        if context.limiter.connections < 2 { return stop() }
        let transfers = balance.look(
            at: reactor.now, worked: loops.map(\.statistics.workedNanoseconds))
        for transfer in transfers where !loops[transfer.target].isInLongTick {
            let (target, context) = (loops[transfer.target], context)
            loops[transfer.source].execute {
                ConnectionTransfer(context, to: target, on: $0).begin()
            }
        }
    }
}

/// Moves connections from one loop to another: observes all connections of its loop for a second,
/// chooses, and moves each one when nothing of it is buffered. Bound to the loop that they leave.
final class ConnectionTransfer: TickEndHandler {
    private let context: ServerContext
    private let target: EventLoop
    private unowned let reactor: Reactor
    private let connections: LoopConnections
    private let startedAt: MonotonicTime
    private let worked, targetWorked: UInt64
    /// The connections of the loop's list, and what they had transferred.
    private let seen: [(connection: TCPConnection, bytes: UInt64)]
    /// Those that have not moved yet.
    private var chosen: [TCPConnection] = []
    private var moved = 0
    private var attempts = 0

    /// Connections that are not idle are tried again after this time.
    static let retryInterval = Duration.milliseconds(20)
    /// Those that were not idle so often stay.
    static let mostAttempts = 25

    init(_ context: ServerContext, to target: EventLoop, on reactor: Reactor) {
        self.context = context
        self.target = target
        self.reactor = reactor
        connections = LoopConnections.of(reactor)
        startedAt = reactor.now
        worked = reactor.workedNanoseconds
        targetWorked = target.statistics.workedNanoseconds
        seen = connections.connections.map { ($0, $0.transferredBytes) }
    }

    /// Begins to observe. Timers keep it alive until it has ended.
    func begin() {
        reactor.schedule(after: LoopBalance.interval, label: "connection balance") { _ in
            self.choose()
        }
    }

    private func choose() {
        if target.isInLongTick { return }
        let elapsed = Double((reactor.now - startedAt).wholeNanoseconds)
        let open = connections.connections
        var active: [LoopBalance.Activity] = []
        var total: UInt64 = 0
        // What has moved to another slot of the list meanwhile is left out.
        for (index, (connection, before)) in zip(open, seen).enumerated()
        where connection === before.connection {
            let bytes = connection.transferredBytes &- before.bytes
            total &+= bytes
            if bytes == 0 || !context.owns(connection) || !connection.isMovable { continue }
            active.append(.init(index: index, bytes: bytes))
        }
        let chosen = LoopBalance.chosen(
            of: active, totalBytes: total,
            load: Double(reactor.workedNanoseconds &- worked) / elapsed,
            other: Double(target.statistics.workedNanoseconds &- targetWorked) / elapsed)
        move(chosen.map { open[$0] })
    }

    /// Moves each of these connections of the loop when it is idle.
    func move(_ connections: [TCPConnection]) {
        chosen = connections
        if !chosen.isEmpty { moveLater() }
    }

    /// Has `tickEnding` called when the calls of this tick have been served, and their replies sent.
    private func moveLater() {
        let bound = LoopBound(self, on: reactor)
        reactor.loop.execute { $0.observeTickEnd(bound.get()) }
    }

    func tickEnding(on reactor: Reactor) {
        if context.phase != .open || target.isInLongTick { return end() }
        var batch: [MovedConnection] = []
        chosen.removeAll { connection in
            if connection.state != .connected { return true }
            guard let moved = connection.leave() else { return false }
            batch.append(moved)
            return true
        }
        send(batch)
        attempts += 1
        if chosen.isEmpty || attempts == Self.mostAttempts { return end() }
        reactor.schedule(after: Self.retryInterval, label: "connection balance") { _ in
            self.moveLater()
        }
    }

    private func send(_ batch: [MovedConnection]) {
        if batch.isEmpty { return }
        let context = context
        if target.execute({ context.receive(batch, on: $0) }) {
            context.countMoved(batch.count)
            moved += batch.count
        } else {
            for moved in batch { context.close(moved.socket, of: moved.peer) }
        }
    }

    private func end() {
        chosen = []
        if moved == 0 { return }
        context.logger.debug("connections moved to another event loop") {
            $0.add("from", self.reactor.loop.name)
            $0.add("to", self.target.name)
            $0.add("connections", self.moved)
        }
    }
}

extension EventLoop {
    /// Whether its statistics are too old to tell its load: they are as of the end of its last tick.
    fileprivate var isInLongTick: Bool {
        lastProgress.isStuck(at: time.monotonic(), longerThan: .milliseconds(200))
    }
}
