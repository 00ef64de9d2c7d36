import RocketSystem

/// A request in a `WaitingQueue`.
package protocol QueuedRequest: Sendable {
    /// The connection that it came from; nil: unknown. All unknown ones count as one.
    var source: ObjectIdentifier? { get }
    /// Whether no further request of its source may be taken before `WaitingQueue.release`.
    var occupiesSource: Bool { get }
    /// How long it has waited for the peer of its connection: set when it is taken. Default: nothing is
    /// kept.
    var waitedForPeer: Duration { get set }
}

extension QueuedRequest {
    package var waitedForPeer: Duration {
        get { .zero }
        set {}
    }
}

/// A bounded queue of requests for database workers, fair to the connections that they came from.
///
/// Each connection has a FIFO queue of its own, and the workers take one request of each in turn. A
/// connection may have as many requests waiting as places are free, so a single one can fill half of
/// the queue. One that has none waiting is always admitted, also when no place is free: the number
/// of connections limits what waits beyond the limit.
///
/// A connection with requests that occupy it may have 64 waiting (or the limit, if that is less).
/// They take no places while it is occupied: for as long as its peer likes.
///
/// Any thread appends and never blocks; workers take batches, and sleep while there is nothing to
/// take. A sleeping worker is woken once, however many requests arrive before it runs: all of them
/// become its batch.
package final class WaitingQueue<Item: QueuedRequest>: Sendable {
    /// The result of an append.
    package enum Admission: Equatable {
        case accepted, closed
        /// The connection has its share of the queue, so many requests.
        case full(waiting: Int)
    }

    /// The result of `take`.
    package enum Outcome { case taken, empty, finished }

    private enum Step { case outcome(Outcome), complete([@Sendable () -> Void]) }

    private struct Waiting {
        var item: Item
        /// `Source.delivering` when it came.
        let before: Duration
    }

    /// The waiting requests of one connection.
    private final class Source {
        var id: ObjectIdentifier?
        /// Rises with each connection that comes.
        var number: UInt64 = 0
        var items = RingBuffer<Waiting>()
        /// How long results of its requests were on their way to the peer, in all.
        var delivering = Duration.zero
        /// Requests that occupy it: waiting ones, and the one that was taken and not released.
        var occupying = 0
        /// Whether a request that occupies it was taken and not released.
        var isOccupied = false
    }

    private struct State: ~Copyable {
        /// The sources that have waiting requests or are occupied.
        var sources: [ObjectIdentifier?: Source] = [:]
        var lastSource: UInt64 = 0
        /// The sources from which a request may be taken, in the order of their turns.
        var turns = RingBuffer<Source>()
        /// Unused ones, so that a request does not allocate memory.
        var spare: [Source] = []
        /// The number of waiting requests, except those of occupied sources.
        var count = 0
        /// Completions of the probes of the workers.
        var probes: [@Sendable () -> Void] = []
        /// Bytes of results that their callers have not received; nothing is taken above the limit.
        var heldBytes = 0
        /// The workers that have found nothing to take and were not woken since.
        var idle: [any WorkerHandle] = []
        var isClosed = false

        mutating func addSource(_ id: ObjectIdentifier?) -> Source {
            let source = spare.popLast() ?? Source()
            source.id = id
            source.delivering = .zero
            lastSource += 1
            source.number = lastSource
            sources[id] = source
            return source
        }

        mutating func remove(_ source: Source) {
            sources[source.id] = nil
            source.items.shrink(to: 16)
            if spare.count < maxSpare { spare.append(source) }
        }

        /// Takes the first request of the source whose turn it is.
        mutating func popFirst() -> Item? {
            guard let source = turns.popFirst(), let waiting = source.items.popFirst() else {
                return nil
            }
            var item = waiting.item
            item.waitedForPeer = source.delivering - waiting.before
            count -= 1
            if item.occupiesSource, !isClosed {
                source.isOccupied = true
                count -= source.items.count
            } else if source.items.isEmpty {
                remove(source)
            } else {
                turns.append(source)
            }
            return item
        }
    }

    /// The number of requests that may wait.
    package let limit: Int
    /// The limit on the bytes of results.
    private let heldLimitBytes: Int
    private let state = Locked(State())

    private static var maxSpare: Int { 64 }
    /// Requests that may wait in a source with requests that occupy it.
    private static var maxBehindOccupying: Int { 64 }

    package init(limit: Int, heldLimitBytes: Int = .max) {
        self.limit = limit
        self.heldLimitBytes = heldLimitBytes
    }

    /// Requests that wait for their turn, without those of occupied sources. Any thread.
    package var count: Int { state.withLock { $0.count } }

    /// Appends a request, unless its source has its share or the queue is closed. Any thread.
    package func append(_ item: Item) -> Admission {
        let (admission, worker) = state.withLock { state -> (Admission, (any WorkerHandle)?) in
            if state.isClosed { return (.closed, nil) }
            let found = state.sources[item.source]
            let waiting = found?.items.count ?? 0
            if waiting > 0, waiting >= share(of: found, with: item, free: limit - state.count) {
                return (.full(waiting: waiting), nil)
            }
            let source = found ?? state.addSource(item.source)
            source.items.append(Waiting(item: item, before: source.delivering))
            if item.occupiesSource { source.occupying += 1 }
            if source.isOccupied { return (.accepted, nil) }
            state.count += 1
            if waiting > 0 { return (.accepted, nil) }
            state.turns.append(source)
            return (.accepted, state.idle.popLast())
        }
        worker?.wake()
        return admission
    }

    /// Returns how many requests a source may have waiting when `item` comes from it and `free`
    /// places are free.
    private func share(of source: Source?, with item: Item, free: Int) -> Int {
        guard item.occupiesSource || source?.occupying ?? 0 > 0 else { return free }
        let most = min(Self.maxBehindOccupying, limit)
        return source?.isOccupied == true ? most : min(most, free)
    }

    /// Runs `completion` on a worker before that takes requests or sleeps again, or at once if the
    /// queue is closed. Any thread; does not wait.
    package func probe(_ completion: @escaping @Sendable () -> Void) {
        let (isClosed, worker) = state.withLock { state -> (Bool, (any WorkerHandle)?) in
            if state.isClosed { return (true, nil) }
            state.probes.append(completion)
            return (false, state.idle.popLast())
        }
        if isClosed { completion() }
        worker?.wake()
    }

    /// Moves up to `limit` requests into `batch`, one of each source in turn. A request that
    /// occupies its source ends the batch. Does not wait.
    ///
    /// - Parameter worker: the caller, which is woken once if there was nothing to take and there is
    ///   again.
    /// - Returns: `.finished` when the queue is closed and empty.
    package func take(
        upTo limit: Int, into batch: inout [Item], for worker: any WorkerHandle
    ) -> Outcome {
        batch.removeAll(keepingCapacity: true)
        while true {
            let step = state.withLock { state -> Step in
                // After a sleep that a deadline has ended.
                if !state.idle.isEmpty { state.idle.removeAll { $0 === worker } }
                if !state.probes.isEmpty {
                    defer { state.probes = [] }
                    return .complete(state.probes)
                }
                if state.isClosed, state.count == 0 { return .outcome(.finished) }
                if state.turns.isEmpty || state.heldBytes > heldLimitBytes && !state.isClosed {
                    state.idle.append(worker)
                    return .outcome(.empty)
                }
                while batch.count < limit, let item = state.popFirst() {
                    batch.append(item)
                    if item.occupiesSource { break }
                }
                return .outcome(.taken)
            }
            switch step {
            case .outcome(let outcome): return outcome
            case .complete(let probes): for completion in probes { completion() }
            }
        }
    }

    /// Counts bytes of a result that was read for a caller. Any thread.
    package func hold(bytes: Int) { state.withLock { $0.heldBytes += bytes } }

    /// The caller has received the result that was counted by `hold`. Any thread.
    package func received(bytes: Int) {
        let worker = state.withLock { state -> (any WorkerHandle)? in
            state.heldBytes -= bytes
            return state.turns.isEmpty ? nil : state.idle.popLast()
        }
        worker?.wake()
    }

    /// Lets further requests of a source be taken after one that occupied it. Any thread.
    ///
    /// - Parameter delivering: how long its result was on its way to the peer.
    package func release(_ source: ObjectIdentifier?, delivering: Duration = .zero) {
        let worker = state.withLock { state -> (any WorkerHandle)? in
            guard let source = state.sources[source], source.isOccupied else { return nil }
            source.isOccupied = false
            source.occupying -= 1
            source.delivering += delivering
            state.count += source.items.count
            if source.items.isEmpty {
                state.remove(source)
                return nil
            }
            state.turns.append(source)
            return state.idle.popLast()
        }
        worker?.wake()
    }

    /// Refuses further requests; those in the queue can still be taken, those of occupied sources
    /// last, in the order in which the sources came. Any thread.
    package func close() {
        let idle = state.withLock { state -> [any WorkerHandle] in
            state.isClosed = true
            let sources = state.sources.values.sorted(by: { $0.number < $1.number })
            for source in sources where source.isOccupied {
                source.isOccupied = false
                state.count += source.items.count
                if !source.items.isEmpty { state.turns.append(source) }
            }
            defer { state.idle = [] }
            return state.idle
        }
        for worker in idle { worker.wake() }
    }
}
