import RocketBase
import RocketReactor
import RocketSystem

/// The one way to a channel's loop: takes calls from any thread, in batches, so that many calls
/// made at the same time cost one wake-up and no allocation each.
final class ChannelInbox: Sendable {
    enum Item {
        case start(OutgoingCall)
        case cancel(OutgoingCall)
    }

    private struct Inbox {
        var items: ContiguousArray<Item> = []
        /// The loop was told to look.
        var isScheduled = false

        /// - Returns: whether the loop is to be told.
        mutating func append(_ item: Item) -> Bool {
            items.append(item)
            defer { isScheduled = true }
            return !isScheduled
        }
    }

    let loop: EventLoop
    /// The most calls that may wait for the loop to look.
    private let limit: Int
    private let feed: StateBroadcaster
    private let makeCore: @Sendable (Reactor) -> ChannelCore
    private let inbox = Locked(Inbox())
    // SAFETY of the three: touched on the loop's thread only; the core is let go there too, by
    // `close`, which every channel calls in the end.
    nonisolated(unsafe) private var core: ChannelCore?
    nonisolated(unsafe) private var isClosed = false
    nonisolated(unsafe) private var spare: ContiguousArray<Item> = []

    init(
        loop: EventLoop, limit: Int, feed: StateBroadcaster,
        makeCore: @escaping @Sendable (Reactor) -> ChannelCore
    ) {
        self.loop = loop
        self.limit = max(1, limit)
        self.feed = feed
        self.makeCore = makeCore
    }

    /// At once when the caller is on the loop, otherwise soon. Any thread.
    ///
    /// - Parameter visit: calls `takeInbox`; the caller keeps it, so that it is made once.
    func pass(_ item: Item, visit: @escaping @Sendable (Reactor) -> Void) {
        if loop.isInLoop { return loop.withReactor { perform(item, on: $0) } }
        switch item {
        case .start(let call):
            guard let isFirst = admit(item) else { return refuse(call) }
            if !isFirst { return }
            switch loop.offer(visit) {
            case .accepted: return
            case .ended: loopEnded()
            case .full: loopIsFull(visit)
            }
        case .cancel:
            if append(item), !loop.execute(visit) { loopEnded() }
        }
    }

    /// Starts a call at once, where the caller is on the loop and the channel has been used before:
    /// the way of nearly every call that is made there.
    func startHere(_ call: OutgoingCall) -> Bool {
        guard loop.isInLoop, let core = unsafe core else { return false }
        core.start(call)
        return true
    }

    /// - Returns: whether the loop is to be told; nil where too many wait.
    private func admit(_ item: Item) -> Bool? {
        inbox.withLock { inbox in inbox.items.count < limit ? inbox.append(item) : nil }
    }

    private func append(_ item: Item) -> Bool { inbox.withLock { $0.append(item) } }

    private func refuse(_ call: OutgoingCall) {
        call.fail(
            RPCError(.resourceExhausted, "the channel's loop has more to do than it may keep"))
    }

    /// New calls are turned away; who gives one up is still heard.
    private func loopIsFull(_ visit: @escaping @Sendable (Reactor) -> Void) {
        var refused: [OutgoingCall] = []
        let hasRest = inbox.withLock { inbox in
            for case .start(let call) in inbox.items { refused.append(call) }
            inbox.items.removeAll { if case .start = $0 { true } else { false } }
            inbox.isScheduled = !inbox.items.isEmpty
            return inbox.isScheduled
        }
        for call in refused { refuse(call) }
        if hasRest, !loop.execute(visit) { loopEnded() }
    }

    /// On the loop.
    func takeInbox(on reactor: Reactor) {
        var items: ContiguousArray<Item> = []
        unsafe swap(&items, &spare)
        inbox.withLock { inbox in
            swap(&inbox.items, &items)
            inbox.isScheduled = false
        }
        for item in items { perform(item, on: reactor) }
        items.removeAll(keepingCapacity: items.count <= 4096)
        unsafe swap(&items, &spare)
    }

    private func perform(_ item: Item, on reactor: Reactor) {
        switch item {
        case .start(let call):
            if let core = core(on: reactor) {
                core.start(call)
            } else {
                call.fail(RPCError(.channelInit, "the channel is closed"))
            }
        case .cancel(let call): unsafe core?.cancel(call)
        }
    }

    /// Made with the first call; nil once closed. On the loop.
    func core(on reactor: Reactor) -> ChannelCore? {
        if let core = unsafe core { return core }
        if unsafe isClosed { return nil }
        let made = makeCore(reactor)
        unsafe core = made
        channels(of: reactor).add(made)
        return made
    }

    private func channels(of reactor: Reactor) -> LoopChannels {
        reactor.attachment(LoopChannels.self) { _ in LoopChannels() }
    }

    /// Nobody comes to look any more.
    private func loopEnded() {
        let items = inbox.withLock { inbox in
            inbox.isScheduled = false
            defer { inbox.items = [] }
            return Array(inbox.items)
        }
        for case .start(let call) in items {
            call.fail(RPCError(.channelInit, "the channel is closed"))
        }
        feed.publish(.closed)
    }

    /// On the loop. What was passed before is begun, and ends like all others.
    func close(on reactor: Reactor) {
        takeInbox(on: reactor)
        unsafe isClosed = true
        if let core = unsafe core {
            core.close()
            channels(of: reactor).remove(core)
        }
        unsafe core = nil
        feed.publish(.closed)
    }
}

/// The channels of a loop: should it end before them, no call of theirs waits for ever. Each stays
/// until it is closed: were it held weakly, each use of it would count its references elsewhere.
private final class LoopChannels {
    private var channels: [ObjectIdentifier: ChannelCore] = [:]

    func add(_ core: ChannelCore) { channels[ObjectIdentifier(core)] = core }

    func remove(_ core: ChannelCore) { channels[ObjectIdentifier(core)] = nil }

    deinit { for channel in channels.values { channel.close() } }
}
