import RocketReactor
import RocketSystem
import RocketTCP
import Synchronization

/// The part of a room that lives on one loop. Any thread, except for its sessions, which are
/// accessible on the loop only.
final class RoomShard: Sendable {
    let loop: EventLoop
    private let sessions = Locked<LoopBound<LoopSessions>?>(nil)
    private let sessionCounter = Atomic<Int>(0)
    private let queued = Atomic<Int>(0)
    private let inbound = Atomic<Int>(0)
    private let slow = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)
    private let sessionCountChanged: AsyncEvent

    init(_ loop: EventLoop, sessionCountChanged: AsyncEvent) {
        self.loop = loop
        self.sessionCountChanged = sessionCountChanged
    }

    /// Sessions on this loop. Any thread.
    var sessionCount: Int { sessionCounter.load(ordering: .acquiring) }

    func sessionJoined() {
        sessionCounter.wrappingAdd(1, ordering: .releasing)
        sessionCountChanged.notify()
    }

    func sessionLeft() {
        sessionCounter.wrappingSubtract(1, ordering: .releasing)
        sessionCountChanged.notify()
    }

    /// Bytes in the queues of slow receivers.
    var queuedBytes: Int { queued.load(ordering: .relaxed) }
    /// Messages dropped from these queues so far.
    var droppedMessages: Int { dropped.load(ordering: .relaxed) }

    /// Sessions that have a queue.
    var slowReceivers: Int { slow.load(ordering: .relaxed) }

    /// - Parameter queues: 1 where a queue was begun, -1 where one has ended.
    func queueChanged(by bytes: Int, dropped messages: Int, queues: Int) {
        queued.wrappingAdd(bytes, ordering: .relaxed)
        if queues != 0 { slow.wrappingAdd(queues, ordering: .relaxed) }
        if messages > 0 { dropped.wrappingAdd(messages, ordering: .relaxed) }
    }

    /// Bytes of batches that other loops have forwarded and this loop has not delivered yet.
    var inboundBytes: Int { inbound.load(ordering: .relaxed) }

    /// Delivers a batch of another loop to the sessions of this one, on the loop. Any thread.
    func forward(_ bytes: SharedBytes) {
        inbound.wrappingAdd(bytes.count, ordering: .relaxed)
        loop.execute { [self] _ in
            inbound.wrappingSubtract(bytes.count, ordering: .relaxed)
            currentSessions?.deliver(bytes)
        }
    }

    /// The sessions of the loop, made with the first of them. On the loop.
    func sessions(on reactor: Reactor, make: () -> LoopSessions) -> LoopSessions {
        if let found = currentSessions { return found }
        let made = LoopBound(make(), on: reactor)
        sessions.withLock { $0 = made }
        return made.get()
    }

    /// The sessions of the loop, nil before the first of them. On the loop.
    var currentSessions: LoopSessions? { sessions.withLock { $0 }?.get() }

    /// Breaks the reference cycle between the shards and their sessions. When the room ends.
    func clear() { sessions.withLock { $0 = nil } }
}

/// All shards of a room. Immutable; any thread.
final class RoomShards: Sendable {
    let all: [RoomShard]
    /// Notified after each join and leave.
    let sessionCountChanged: AsyncEvent
    /// Nil: the room is in this process only.
    let backplane: BackplaneRoom?

    init(_ loops: [EventLoop], backplane: BackplaneRoom?) {
        self.backplane = backplane
        let changed = AsyncEvent()
        sessionCountChanged = changed
        all = loops.map { RoomShard($0, sessionCountChanged: changed) }
    }

    /// Forwards a batch to all other loops that have sessions, one task per loop, in the order of
    /// the batches of this loop.
    func forward(_ bytes: SharedBytes, from own: RoomShard) {
        for shard in all where shard !== own && shard.sessionCount > 0 { shard.forward(bytes) }
    }

    /// Delivers what has come from elsewhere to the sessions of all loops. On that loop.
    func deliver(_ bytes: SharedBytes, on loop: EventLoop) {
        for shard in all where shard.sessionCount > 0 {
            if shard.loop === loop {
                shard.currentSessions?.deliver(bytes)
            } else {
                shard.forward(bytes)
            }
        }
    }

    /// While more than this is inbound at one loop, sessions of the other loops are not read from.
    static let inboundLimitBytes = 16 << 20

    /// Whether a loop other than `own`, or the backplane's, has more to deliver than the limit.
    func isOverloaded(besides own: RoomShard) -> Bool {
        all.contains { $0 !== own && $0.inboundBytes > Self.inboundLimitBytes }
            || backplane?.isOverloaded == true
    }
}
