import Dispatch
import RocketSystem

/// A request in a `WaitingQueue`.
protocol QueuedRequest: Sendable {
    /// The connection that it came from; nil: unknown. All unknown ones count as one.
    var source: ObjectIdentifier? { get }
    /// Whether no further request of its source may be taken before `WaitingQueue.release`.
    var occupiesSource: Bool { get }
}

/// A bounded queue of requests for database threads, fair to the connections that they came from.
///
/// Each connection has a FIFO queue of its own, and the threads take one request of each in turn. A
/// connection may have as many requests waiting as places are free, so a single one can fill half of
/// the queue. One that has none waiting is always admitted, also when no place is free: the number
/// of connections limits what waits beyond the limit.
///
/// A connection with requests that occupy it may have 64 waiting (or the limit, if that is less).
/// They take no places while it is occupied: for as long as its peer likes.
///
/// Any thread appends and never blocks; database threads take batches, and sleep while there is
/// nothing to take. A sleeping thread is woken once, however many requests arrive before it runs:
/// all of them become its batch.
final class WaitingQueue<Item: QueuedRequest>: Sendable {
    /// The result of an append.
    enum Admission: Equatable {
        case accepted, closed
        /// The connection has its share of the queue, so many requests.
        case full(waiting: Int)
    }

    /// The result of `take`.
    enum Outcome { case taken, timedOut, finished }

    private enum Step { case taken, finished, sleep, complete([@Sendable () -> Void]) }

    /// The waiting requests of one connection.
    private final class Source {
        var id: ObjectIdentifier?
        /// Rises with each connection that comes.
        var number: UInt64 = 0
        var items = RingBuffer<Item>()
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
        /// Completions of the probes of the database threads.
        var probes: [@Sendable () -> Void] = []
        /// Bytes of results that their callers have not received; nothing is taken above the limit.
        var heldBytes = 0
        var sleepers = 0
        var isClosed = false

        mutating func addSource(_ id: ObjectIdentifier?) -> Source {
            let source = spare.popLast() ?? Source()
            source.id = id
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
            guard let source = turns.popFirst(), let item = source.items.popFirst() else {
                return nil
            }
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

        /// - Returns: whether the caller has to wake a sleeping thread.
        mutating func wakesSleeper() -> Bool {
            if sleepers == 0 { return false }
            sleepers -= 1
            return true
        }
    }

    /// The number of requests that may wait.
    let limit: Int
    /// The limit on the bytes of results.
    private let heldLimitBytes: Int
    private let state = Locked(State())
    private let wake = DispatchSemaphore(value: 0)

    private static var maxSpare: Int { 64 }
    /// Requests that may wait in a source with requests that occupy it.
    private static var maxBehindOccupying: Int { 64 }

    init(limit: Int, heldLimitBytes: Int = .max) {
        self.limit = limit
        self.heldLimitBytes = heldLimitBytes
    }

    /// Requests that wait for their turn, without those of occupied sources. Any thread.
    var count: Int { state.withLock { $0.count } }

    /// Appends a request, unless its source has its share or the queue is closed. Any thread.
    func append(_ item: Item) -> Admission {
        let (admission, mustWake) = state.withLock { state -> (Admission, Bool) in
            if state.isClosed { return (.closed, false) }
            let found = state.sources[item.source]
            let waiting = found?.items.count ?? 0
            if waiting > 0, waiting >= share(of: found, with: item, free: limit - state.count) {
                return (.full(waiting: waiting), false)
            }
            let source = found ?? state.addSource(item.source)
            source.items.append(item)
            if item.occupiesSource { source.occupying += 1 }
            if source.isOccupied { return (.accepted, false) }
            state.count += 1
            if waiting > 0 { return (.accepted, false) }
            state.turns.append(source)
            return (.accepted, state.wakesSleeper())
        }
        if mustWake { wake.signal() }
        return admission
    }

    /// Returns how many requests a source may have waiting when `item` comes from it and `free`
    /// places are free.
    private func share(of source: Source?, with item: Item, free: Int) -> Int {
        guard item.occupiesSource || source?.occupying ?? 0 > 0 else { return free }
        let most = min(Self.maxBehindOccupying, limit)
        return source?.isOccupied == true ? most : min(most, free)
    }

    /// Runs `completion` on a database thread before that takes requests or sleeps again, or at
    /// once if the queue is closed. Any thread; does not wait.
    func probe(_ completion: @escaping @Sendable () -> Void) {
        let (isClosed, mustWake) = state.withLock { state -> (Bool, Bool) in
            if state.isClosed { return (true, false) }
            state.probes.append(completion)
            return (false, state.wakesSleeper())
        }
        if isClosed { completion() }
        if mustWake { wake.signal() }
    }

    /// Sleeps until requests can be taken, and moves up to `limit` of them into `batch`, one of
    /// each source in turn. A request that occupies its source ends the batch.
    ///
    /// - Parameter deadline: when to stop waiting for requests; nil: never.
    /// - Returns: `.finished` when the queue is closed and empty.
    func take(
        upTo limit: Int, into batch: inout [Item], until deadline: DispatchTime? = nil
    ) -> Outcome {
        batch.removeAll(keepingCapacity: true)
        while true {
            let step = state.withLock { state -> Step in
                if !state.probes.isEmpty {
                    defer { state.probes = [] }
                    return .complete(state.probes)
                }
                if state.isClosed, state.count == 0 { return .finished }
                if state.turns.isEmpty || state.heldBytes > heldLimitBytes && !state.isClosed {
                    state.sleepers += 1
                    return .sleep
                }
                while batch.count < limit, let item = state.popFirst() {
                    batch.append(item)
                    if item.occupiesSource { break }
                }
                return .taken
            }
            switch step {
            case .taken: return .taken
            case .finished: return .finished
            case .sleep: if !sleep(until: deadline) { return .timedOut }
            case .complete(let probes): for completion in probes { completion() }
            }
        }
    }

    /// Counts bytes of a result that was read for a caller. Any thread.
    func hold(bytes: Int) { state.withLock { $0.heldBytes += bytes } }

    /// The caller has received the result that was counted by `hold`. Any thread.
    func received(bytes: Int) {
        let mustWake = state.withLock { state -> Bool in
            state.heldBytes -= bytes
            return !state.turns.isEmpty && state.wakesSleeper()
        }
        if mustWake { wake.signal() }
    }

    /// Lets further requests of a source be taken after one that occupied it. Any thread.
    func release(_ source: ObjectIdentifier?) {
        let mustWake = state.withLock { state -> Bool in
            guard let source = state.sources[source], source.isOccupied else { return false }
            source.isOccupied = false
            source.occupying -= 1
            state.count += source.items.count
            if source.items.isEmpty {
                state.remove(source)
                return false
            }
            state.turns.append(source)
            return state.wakesSleeper()
        }
        if mustWake { wake.signal() }
    }

    /// Refuses further requests; those in the queue can still be taken, those of occupied sources
    /// last, in the order in which the sources came. Any thread.
    func close() {
        let sleepers = state.withLock { state -> Int in
            state.isClosed = true
            let occupied = state.sources.values.filter(\.isOccupied)
            for source in occupied.sorted(by: { $0.number < $1.number }) {
                source.isOccupied = false
                state.count += source.items.count
                if !source.items.isEmpty { state.turns.append(source) }
            }
            defer { state.sleepers = 0 }
            return state.sleepers
        }
        for _ in 0..<sleepers { wake.signal() }
    }

    /// - Returns: false if the deadline has passed first.
    private func sleep(until deadline: DispatchTime?) -> Bool {
        if wake.wait(timeout: deadline ?? .distantFuture) == .success { return true }
        let wasCounted = state.withLock { state -> Bool in
            if state.sleepers == 0 { return false }
            state.sleepers -= 1
            return true
        }
        // The signal for this thread is on its way.
        if !wasCounted { wake.wait() }
        return !wasCounted
    }
}
