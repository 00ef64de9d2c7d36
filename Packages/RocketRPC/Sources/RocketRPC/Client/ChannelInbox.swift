import RocketBase
import RocketReactor
import RocketSystem
import Synchronization

/// The only way to a channel's loop: takes calls and cancellations from any thread, in batches, so
/// that many calls made at the same time cost one wake-up and no allocation each.
final class ChannelInbox: Sendable {
    enum Item {
        case start(OutgoingCall)
        case cancel(OutgoingCall)
        case startBatch(CallBatch)
        case cancelBatch(CallBatch)

        var isStart: Bool {
            switch self {
            case .start, .startBatch: true
            case .cancel, .cancelBatch: false
            }
        }

        /// How many calls it starts. A cancellation only frees memory, and does not count.
        var count: Int {
            switch self {
            case .start: 1
            case .startBatch(let batch): batch.calls.count
            case .cancel, .cancelBatch: 0
            }
        }

        /// Ends the calls that it would have started.
        func fail(_ code: RPCErrorCode, _ text: String) {
            switch self {
            case .start(let call): call.fail(code, text)
            case .startBatch(let batch): batch.begin { $0.fail(code, text) }
            case .cancel, .cancelBatch: break
            }
        }
    }

    private struct Items {
        var list: ContiguousArray<Item> = []
        /// The sum of their counts.
        var calls = 0
        /// Whether the loop has been woken to drain the inbox.
        var isDrainScheduled = false

        /// - Returns: whether the loop has to be woken.
        mutating func append(_ item: Item) -> Bool {
            list.append(item)
            calls += item.count
            defer { isDrainScheduled = true }
            return !isDrainScheduled
        }

        /// Removes the items that start calls, and returns them.
        mutating func removeStarts() -> [Item] {
            let starts = list.filter(\.isStart)
            list.removeAll(where: \.isStart)
            calls = 0
            return Array(starts)
        }
    }

    private let context: ChannelContext
    private let loop: EventLoop
    /// With so many calls in the inbox it takes no more. A batch, which has no more calls than that,
    /// is taken as a whole.
    let limit: Int
    private let items = Locked(Items())
    // SAFETY of the three: used by the thread that drives the loop only. The core is released there, too, by
    // `close`, which every channel calls in the end.
    nonisolated(unsafe) private var core: ChannelCore?
    nonisolated(unsafe) private var isClosed = false
    nonisolated(unsafe) private var spare: ContiguousArray<Item> = []

    init(_ context: ChannelContext, loop: EventLoop) {
        self.context = context
        self.loop = loop
        limit = max(1, context.settings.configuration.maxCallsInFlight)
    }

    // MARK: Any thread

    /// Handles an item: at once where the caller is on the loop, otherwise soon.
    ///
    /// - Parameters:
    ///   - drainInbox: calls `drain(on:)`. Passed in, so that one closure serves all calls; the inbox
    ///     can't keep it, since the closure retains the inbox.
    ///   - isTask: whether the caller is a task that holds no lock. It then sends the call itself
    ///     where the loop sleeps, a connection is ready and no other call is in flight.
    func enqueue(
        _ item: Item, drainInbox: @escaping @Sendable (Reactor) -> Void, isTask: Bool = false
    ) {
        if loop.isInLoop { return loop.withReactor { handle(item, on: $0) } }
        guard item.isStart else {
            // Beyond the limit, too.
            if append(item), !loop.execute(drainInbox) { loopEnded() }
            return
        }
        guard let wakesLoop = appendWithinLimit(item) else { return refuse(item) }
        if !wakesLoop { return }
        // With others in flight the loop soon wakes up, and sends what has come meanwhile at once.
        // Resolvers and connects are started by the loop's thread: nothing of the task is theirs.
        if isTask, context.broadcaster.isReady,
            context.counters.callsInFlight.load(ordering: .relaxed) == 0,
            loop.runInCaller(drainInbox)
        {
            return
        }
        switch loop.offer(drainInbox) {
        case .accepted: return
        case .ended: loopEnded()
        case .full: loopIsFull(drainInbox)
        }
    }

    /// Starts a call at once where the caller is on the loop and the core exists, which is true of
    /// nearly every call made on the loop.
    ///
    /// - Returns: false where the call has to be enqueued.
    func startOnLoop(_ call: OutgoingCall) -> Bool {
        guard loop.isInLoop, let core = unsafe core else { return false }
        core.start(call)
        return true
    }

    /// - Returns: whether the loop has to be woken; nil where the inbox is full.
    private func appendWithinLimit(_ item: Item) -> Bool? {
        items.withLock { items in
            items.calls < limit ? items.append(item) : nil
        }
    }

    private func append(_ item: Item) -> Bool { items.withLock { $0.append(item) } }

    private func refuse(_ item: Item) {
        item.fail(.resourceExhausted, "too many calls wait for the channel's event loop")
    }

    private func failClosed(_ item: Item) { item.fail(.channelInit, "the channel is closed") }

    /// The loop takes no more tasks: calls are refused, cancellations are still delivered.
    private func loopIsFull(_ drainInbox: @escaping @Sendable (Reactor) -> Void) {
        let (refused, hasCancellations) = items.withLock { items in
            let refused = items.removeStarts()
            items.isDrainScheduled = !items.list.isEmpty
            return (refused, items.isDrainScheduled)
        }
        for item in refused { refuse(item) }
        if hasCancellations, !loop.execute(drainInbox) { loopEnded() }
    }

    /// The loop runs no more tasks, so nothing drains the inbox any more.
    private func loopEnded() {
        let list = items.withLock { items in
            defer { items = Items() }
            return Array(items.list)
        }
        for item in list { failClosed(item) }
        context.broadcaster.publish(.closed)
    }

    // MARK: On the loop

    /// Handles all items.
    func drain(on reactor: Reactor) {
        var list: ContiguousArray<Item> = []
        unsafe swap(&list, &spare)
        items.withLock { items in
            swap(&items.list, &list)
            items.isDrainScheduled = false
            items.calls = 0
        }
        for item in list { handle(item, on: reactor) }
        list.removeAll(keepingCapacity: list.count <= 4096)
        unsafe swap(&list, &spare)
    }

    private func handle(_ item: Item, on reactor: Reactor) {
        switch item {
        case .start(let call):
            if let core = core(on: reactor) { core.start(call) } else { failClosed(item) }
        case .startBatch(let batch):
            guard let core = core(on: reactor) else { return failClosed(item) }
            batch.begin { core.start($0) }
        case .cancel(let call): unsafe core?.cancel(call)
        case .cancelBatch(let batch): for call in batch.calls { unsafe core?.cancel(call) }
        }
    }

    /// The core, which the first use creates; nil once closed.
    func core(on reactor: Reactor) -> ChannelCore? {
        if let core = unsafe core { return core }
        if unsafe isClosed { return nil }
        let made = ChannelCore(context, on: reactor)
        unsafe core = made
        channels(of: reactor).add(made)
        return made
    }

    private func channels(of reactor: Reactor) -> LoopChannels { LoopChannels.of(reactor) }

    /// Starts the calls enqueued before, and ends them with all others.
    func close(on reactor: Reactor) {
        drain(on: reactor)
        unsafe isClosed = true
        if let core = unsafe core {
            core.close()
            channels(of: reactor).remove(core)
        }
        unsafe core = nil
        context.broadcaster.publish(.closed)
    }
}

/// The open channels of a loop. When the loop ends before a channel is closed, this closes the
/// channel, so that its calls end. Each channel is held strongly until then: an object that ever
/// had a weak reference counts its references in a side table, which makes each use slower.
final class LoopChannels: LoopEndHandler {
    private var channels = OrderedObjects<ChannelCore>()

    static func of(_ reactor: Reactor) -> LoopChannels {
        reactor.attachment(LoopChannels.self) { reactor in
            let made = LoopChannels()
            reactor.observeLoopEnd(made)
            return made
        }
    }

    /// The core of the channel with these counters; nil once it is closed.
    func core(countedBy counters: ChannelCounters) -> ChannelCore? {
        channels.inOrder.first { $0.context.counters === counters }
    }

    func add(_ core: ChannelCore) { channels.insert(core) }

    func remove(_ core: ChannelCore) { channels.remove(core) }

    /// While ticks' ends still run: what a close brings about is done, in process too. In the order
    /// in which the channels were first used.
    func loopEnding(on reactor: Reactor) {
        let ending = channels.inOrder
        channels.removeAll()
        for channel in ending { channel.close() }
    }
}
