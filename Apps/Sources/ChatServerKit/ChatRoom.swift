public import RocketBase
public import RocketReactor
public import RocketSystem

/// The one room of a chat: each message of a session is broadcast to all other sessions, whichever
/// loops they live on, and with a backplane those of other servers. The only part of the chat that spans
/// loops; any thread.
///
/// ```
/// session ─ broadcast ─> sessions of its loop ─ at the end of the tick one batch, encoded once
///                          ├─ into the queues of the other sessions of the loop
///                          └─ execute ─> the other loops ─ into the queues of their sessions
/// ```
/// All queues share the bytes of a batch. No lock is held while batches are queued or written: each
/// loop touches its own sessions only. Batches of one loop reach another loop in their order, so
/// every receiver gets the messages of each sender in the order in which they were sent.
public final class ChatRoom: Sendable {
    private let shards: RoomShards
    private let backplane: BackplaneRoom?
    private let limits: Locked<ChatLimits>
    private let logger: RocketLogger
    private let time: (any TimeSource)?

    /// - Parameters:
    ///   - loops: the loops on which sessions will live.
    ///   - logger: for joins, leaves and refused messages.
    ///   - time: measures how long a broadcast takes; nil: the clock of each loop.
    ///   - backplane: connects the room with those of other servers, on the first of the loops. nil, the
    ///     default: the room is in this process only, which costs nothing.
    public convenience init(
        loops: [EventLoop], limits: ChatLimits = ChatLimits(), logger: RocketLogger = .disabled,
        time: (any TimeSource)? = nil, backplane: ChatBackplaneConfiguration? = nil
    ) {
        var room: BackplaneRoom?
        if let backplane, let loop = loops.first {
            room = BackplaneRoom(on: loop, serverName: backplane.serverName, logger: logger) {
                try NATSBackplane(backplane, room: $0, on: $1)
            }
        }
        self.init(loops: loops, limits: limits, logger: logger, time: time, room: room)
    }

    init(
        loops: [EventLoop], limits: ChatLimits, logger: RocketLogger, time: (any TimeSource)?,
        room: BackplaneRoom?
    ) {
        self.time = time
        backplane = room
        shards = RoomShards(loops, backplane: room)
        self.limits = Locked(limits)
        self.logger = logger
        room?.start(shards)
    }

    deinit {
        for shard in shards.all { shard.clear() }
        backplane?.clear()
    }

    /// Sessions in the room now, on all loops.
    public var sessionCount: Int { shards.all.reduce(0) { $0 + $1.sessionCount } }

    /// Notified after each join and leave.
    var sessionCountChanged: AsyncEvent { shards.sessionCountChanged }

    /// Bytes queued for slow receivers, besides those in the output buffers of their connections.
    /// Bytes shared by several queues count once per queue.
    public var queuedBytes: Int { shards.all.reduce(0) { $0 + $1.queuedBytes } }

    /// Sessions that bytes are queued for now.
    var slowReceivers: Int { shards.all.reduce(0) { $0 + $1.slowReceivers } }

    /// Messages dropped from the queues of slow receivers so far, counted once per receiver.
    public var droppedMessages: Int { shards.all.reduce(0) { $0 + $1.droppedMessages } }

    /// How the messages reach other servers; nil: the room is in this process only.
    public var backplaneStatistics: ChatBackplaneStatistics? { backplane?.statistics }

    /// Returns when the condition holds for them; at once without a backplane.
    func backplaneStatistics(are condition: (ChatBackplaneStatistics) -> Bool) async {
        guard let backplane else { return }
        await backplane.statisticsChanged.wait { condition(backplane.statistics) }
    }

    /// Returns a session for a connection of that loop, which has to be one of the room's. It joins
    /// when the connection is up. On the loop.
    public func makeSession(on reactor: Reactor) -> ChatSession {
        ChatSession(sessions: sessions(on: reactor))
    }

    /// Applies new limits on all loops. Returns before they are in force.
    public func update(_ limits: ChatLimits) {
        self.limits.withLock { $0 = limits }
        for shard in shards.all {
            shard.loop.execute { _ in shard.currentSessions?.update(limits) }
        }
    }

    /// Stops taking messages, and returns when all messages taken before are in the queues of their
    /// receivers. The first step of draining.
    public func close() async {
        for shard in shards.all {
            await execute(on: shard) { [self] in sessions(on: $0).close() }
        }
        // The batches forwarded above are ahead of these tasks, so they have been delivered when
        // the tasks have run.
        for shard in shards.all { await execute(on: shard) { _ in } }
        await backplane?.stop()
    }

    private func sessions(on reactor: Reactor) -> LoopSessions {
        guard let shard = shards.all.first(where: { $0.loop === reactor.loop }) else {
            preconditionFailure("the loop of a session is one of its room's")
        }
        return shard.sessions(on: reactor) {
            LoopSessions(
                shard: shard, shards: shards, limits: limits.withLock { $0 }, logger: logger,
                time: time ?? reactor.loop.time, on: reactor)
        }
    }

    /// Returns when `body` has run on the loop of the shard, or at once if that loop has ended: it
    /// has no sessions then.
    private func execute(
        on shard: RoomShard, _ body: @escaping @Sendable (Reactor) -> Void
    ) async {
        await withCheckedContinuation { continuation in
            let isAccepted = shard.loop.execute { reactor in
                body(reactor)
                continuation.resume()
            }
            if !isAccepted { continuation.resume() }
        }
    }
}
