import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP
import Synchronization

/// What a backplane and its room have in common. Made with the room; any thread, except for what is
/// documented to be for the backplane's loop.
final class BackplaneRoom: Sendable {
    /// The loop of the backplane.
    let loop: EventLoop
    let logger: RocketLogger
    private let make: MakeChatBackplane
    private let backplane = Locked<LoopBound<BackplaneBox>?>(nil)
    private let shards = Locked<RoomShards?>(nil)
    private let state: Locked<State>
    /// Notified after each change of the statistics.
    let statisticsChanged = AsyncEvent()
    /// Bytes of batches that other loops have forwarded and the backplane has not taken yet.
    private let forwarded = Atomic<Int>(0)

    private struct State {
        var statistics = ChatBackplaneStatistics()
        var isLost = false
    }

    /// Holds the backplane, which is bound to its loop.
    final class BackplaneBox {
        let backplane: any ChatBackplane
        init(_ backplane: any ChatBackplane) { self.backplane = backplane }
    }

    /// - Parameter serverName: until the backplane knows better.
    init(
        on loop: EventLoop, serverName: String, logger: RocketLogger,
        make: @escaping MakeChatBackplane
    ) {
        self.loop = loop
        self.logger = logger
        self.make = make
        var state = State()
        state.statistics.serverName = serverName
        self.state = Locked(state)
    }

    // MARK: For the room

    func start(_ shards: RoomShards) {
        self.shards.withLock { $0 = shards }
        loop.execute { [self] reactor in
            do {
                let made = LoopBound(BackplaneBox(try make(self, reactor)), on: reactor)
                backplane.withLock { $0 = made }
                made.get().backplane.start()
            } catch {
                logger.warn("the room has no backplane") { $0.add("reason", error: error) }
            }
        }
    }

    /// Breaks the reference cycles. When the room ends.
    func clear() {
        shards.withLock { $0 = nil }
        backplane.withLock { $0 = nil }
    }

    /// What is behind the names of this server's clients.
    var nameSuffix: String { "@" + state.withLock { $0.statistics.serverName } }

    /// The notice for a member that joins while other servers can't be reached; nil: they can be.
    var joinNotice: String? {
        state.withLock { $0.isLost } ? ChatMessage.serversLostNotice : nil
    }

    var statistics: ChatBackplaneStatistics { state.withLock { $0.statistics } }

    /// Whether so much waits for the backplane's loop that sessions of the other loops must wait.
    var isOverloaded: Bool { forwarded.load(ordering: .relaxed) > RoomShards.inboundLimitBytes }

    /// Passes on a batch of own messages. On the loop that has made the batch.
    func publish(_ messages: SharedBytes, count: Int, from origin: EventLoop) {
        if origin === loop {
            onLoop?.publish(messages, count: count)
            return
        }
        forwarded.wrappingAdd(messages.count, ordering: .relaxed)
        loop.execute { [self] _ in
            forwarded.wrappingSubtract(messages.count, ordering: .relaxed)
            onLoop?.publish(messages, count: count)
        }
    }

    /// Returns when the backplane has stopped.
    func stop() async {
        await withCheckedContinuation { continuation in
            let isAccepted = loop.execute { [self] _ in
                guard let onLoop else { return continuation.resume() }
                onLoop.stop { continuation.resume() }
            }
            if !isAccepted { continuation.resume() }
        }
    }

    private var onLoop: (any ChatBackplane)? { backplane.withLock { $0 }?.get().backplane }

    // MARK: For the backplane, on its loop

    /// Delivers messages to all sessions, on all loops.
    func deliver(_ messages: SharedBytes) {
        shards.withLock { $0 }?.deliver(messages, on: loop)
    }

    /// Whether another loop has so much to deliver that nothing more may be read.
    var isReadingTooFast: Bool {
        shards.withLock { $0 }?.all.contains {
            $0.inboundBytes > RoomShards.inboundLimitBytes
        } ?? false
    }

    func change(_ body: (inout ChatBackplaneStatistics) -> Void) {
        state.withLock { body(&$0.statistics) }
        statisticsChanged.notify()
    }

    /// Members that join are told so.
    func setLost(_ isLost: Bool) { state.withLock { $0.isLost = isLost } }

    /// This server has another name: its clients have, too.
    func rename(to name: String) {
        change { $0.serverName = name }
        guard let shards = shards.withLock({ $0 }) else { return }
        for shard in shards.all {
            shard.loop.execute { _ in shard.currentSessions?.serverRenamed() }
        }
    }
}
