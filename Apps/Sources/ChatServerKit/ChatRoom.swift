public import RocketBase
public import RocketReactor
public import RocketSystem

/// The one room of a chat: whatever a session says goes to all others, whichever loops they live
/// on. The only thing of the chat that spans loops; any thread.
///
/// ```
/// session ─ say ─> audience of its loop ─ at the tick's end one batch, encoded once
///                    ├─ into the queues of the loop's other sessions
///                    └─ execute ─> the audiences of the other loops ─ into their sessions' queues
/// ```
/// The bytes of a batch are shared by all queues. No lock is held while they are put there or
/// written: each loop touches its own sessions only. Batches of one loop reach another one in
/// their order, so every receiver gets each sender's messages in the sender's order.
public final class ChatRoom: Sendable {
    private let seats: RoomShards
    private let limits: Locked<ChatLimits>
    private let logger: RocketLogger
    private let time: any TimeSource

    /// - Parameters:
    ///   - loops: where its sessions live.
    ///   - logger: gets a line for each join and leave, and for what is refused.
    ///   - time: how long a fan-out takes.
    public init(
        loops: [EventLoop], limits: ChatLimits = ChatLimits(), logger: RocketLogger = .disabled,
        time: any TimeSource = SystemTimeSource()
    ) {
        self.time = time
        seats = RoomShards(loops)
        self.limits = Locked(limits)
        self.logger = logger
    }

    deinit { for seat in seats.all { seat.clear() } }

    /// Sessions in the room now, on all loops.
    public var sessionCount: Int { seats.all.reduce(0) { $0 + $1.sessionCount } }

    /// Rung after each joining and leaving.
    var sessionsBell: Doorbell { seats.bell }

    /// Bytes that wait for slow receivers besides those that their connections hold; what several
    /// share is counted for each.
    public var queuedBytes: Int { seats.all.reduce(0) { $0 + $1.queuedBytes } }

    /// Messages that slow receivers have missed so far, each counted for each of them.
    public var droppedMessages: Int { seats.all.reduce(0) { $0 + $1.droppedMessages } }

    /// A session for a connection of that loop; it joins when the connection is up. On the loop,
    /// which has to be one of the room's.
    public func makeSession(on reactor: Reactor) -> ChatSession {
        ChatSession(audience: audience(on: reactor))
    }

    /// Takes over new limits, on all loops. Returns before it is done.
    public func update(_ limits: ChatLimits) {
        self.limits.withLock { $0 = limits }
        for seat in seats.all { seat.loop.execute { _ in seat.takenAudience?.update(limits) } }
    }

    /// Listens to no session any more; returns when everything that was said before stands in
    /// its receivers' queues. The first step of draining.
    public func close() async {
        for seat in seats.all {
            await done(on: seat) { [self] in audience(on: $0).close() }
        }
        // Once more round: what was forwarded above came before this.
        for seat in seats.all { await done(on: seat) { _ in } }
    }

    private func audience(on reactor: Reactor) -> LoopSessions {
        guard let seat = seats.all.first(where: { $0.loop === reactor.loop }) else {
            preconditionFailure("a session's loop is one of its room's")
        }
        return seat.audience(on: reactor) {
            LoopSessions(
                seat: seat, seats: seats, limits: limits.withLock { $0 }, logger: logger,
                time: time, on: reactor)
        }
    }

    private func done(on seat: RoomShard, _ body: @escaping @Sendable (Reactor) -> Void) async {
        await withCheckedContinuation { continuation in
            let isAccepted = seat.loop.execute { reactor in
                body(reactor)
                continuation.resume()
            }
            // A loop that has ended has no sessions.
            if !isAccepted { continuation.resume() }
        }
    }
}
