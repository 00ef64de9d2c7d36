import RocketReactor
import RocketSystem
import RocketTCP
import Synchronization

/// One loop's place in the room. Any thread: the audience in it is reached on its loop only.
final class RoomShard: Sendable {
    let loop: EventLoop
    private let audience = Locked<LoopBound<LoopSessions>?>(nil)
    private let present = Atomic<Int>(0)
    private let queued = Atomic<Int>(0)
    private let onTheWay = Atomic<Int>(0)
    private let dropped = Atomic<Int>(0)

    private let bell: Doorbell

    init(_ loop: EventLoop, bell: Doorbell) {
        self.loop = loop
        self.bell = bell
    }

    /// Sessions on this loop. Any thread.
    var sessionCount: Int { present.load(ordering: .acquiring) }

    func sessionJoined() {
        present.wrappingAdd(1, ordering: .releasing)
        bell.ring()
    }

    func sessionLeft() {
        present.wrappingSubtract(1, ordering: .releasing)
        bell.ring()
    }

    /// Bytes that wait in the queues of slow receivers, and messages that were dropped from them.
    var queuedBytes: Int { queued.load(ordering: .relaxed) }
    var droppedMessages: Int { dropped.load(ordering: .relaxed) }

    func queueChanged(by bytes: Int, dropped messages: Int) {
        queued.wrappingAdd(bytes, ordering: .relaxed)
        if messages > 0 { dropped.wrappingAdd(messages, ordering: .relaxed) }
    }

    /// Bytes of batches that other loops sent and this one has not come to.
    var bytesOnTheWay: Int { onTheWay.load(ordering: .relaxed) }

    /// A batch of another loop. Any thread.
    func take(_ bytes: SharedBytes) {
        onTheWay.wrappingAdd(bytes.count, ordering: .relaxed)
        loop.execute { [self] _ in
            onTheWay.wrappingSubtract(bytes.count, ordering: .relaxed)
            takenAudience?.deliver(bytes)
        }
    }

    /// On the seat's loop: its audience, made with the first session.
    func audience(on reactor: Reactor, make: () -> LoopSessions) -> LoopSessions {
        if let found = takenAudience { return found }
        let made = LoopBound(make(), on: reactor)
        audience.withLock { $0 = made }
        return made.get()
    }

    /// On the seat's loop: its audience, nil before the first session.
    var takenAudience: LoopSessions? { audience.withLock { $0 }?.get() }

    /// The room ends: its audiences know all seats, and would keep them.
    func clear() { audience.withLock { $0 = nil } }
}

/// All places of a room; never changes. Any thread.
final class RoomShards: Sendable {
    let all: [RoomShard]
    /// Rung after each joining and leaving.
    let bell = Doorbell()

    init(_ loops: [EventLoop]) { all = loops.map { [bell] in RoomShard($0, bell: bell) } }

    /// Gives a batch to all other loops that have sessions, one task each. In the order of the
    /// batches of one loop.
    func forward(_ bytes: SharedBytes, from own: RoomShard) {
        for seat in all where seat !== own && seat.sessionCount > 0 { seat.take(bytes) }
    }

    /// With more than this on the way to one loop, the others listen to nobody for a while.
    static let limitBytes = 16 << 20

    /// Whether another loop has not kept up.
    func isBehind(besides own: RoomShard) -> Bool {
        all.contains { $0 !== own && $0.bytesOnTheWay > Self.limitBytes }
    }
}
