import Dispatch
import RocketSystem

/// A bounded FIFO queue of requests for database threads.
///
/// Any thread appends and never blocks; database threads take batches, and sleep while it is empty.
/// A sleeping thread is woken once, however many items arrive before it runs: all of them become
/// its batch.
final class WaitingQueue<Item: Sendable>: Sendable {
    /// The result of an append.
    enum Admission { case accepted, full, closed }

    private enum Step { case taken, finished, sleep, complete([@Sendable () -> Void]) }

    private struct State: ~Copyable {
        var items = RingBuffer<Item>()
        /// Completions of the probes of the database threads.
        var probes: [@Sendable () -> Void] = []
        var sleepers = 0
        var isClosed = false
    }

    let limit: Int
    private let state = Locked(State())
    private let wake = DispatchSemaphore(value: 0)

    init(limit: Int) { self.limit = limit }

    /// Items in the queue. Any thread.
    var count: Int { state.withLock { $0.items.count } }

    /// Appends an item, unless the queue is full or closed. Any thread.
    func append(_ item: Item) -> Admission {
        let (admission, mustWake) = state.withLock { state -> (Admission, Bool) in
            if state.isClosed { return (.closed, false) }
            if state.items.count >= limit { return (.full, false) }
            state.items.append(item)
            guard state.sleepers > 0 else { return (.accepted, false) }
            state.sleepers -= 1
            return (.accepted, true)
        }
        if mustWake { wake.signal() }
        return admission
    }

    /// Runs `completion` on a database thread before that takes items or sleeps again, or at once
    /// if the queue is closed. Any thread; does not wait.
    func probe(_ completion: @escaping @Sendable () -> Void) {
        let (isClosed, mustWake) = state.withLock { state -> (Bool, Bool) in
            if state.isClosed { return (true, false) }
            state.probes.append(completion)
            guard state.sleepers > 0 else { return (false, false) }
            state.sleepers -= 1
            return (false, true)
        }
        if isClosed { completion() }
        if mustWake { wake.signal() }
    }

    /// Sleeps until there are items, and moves up to `limit` of them into `batch` in their order.
    /// Returns false when the queue is closed and empty.
    func take(upTo limit: Int, into batch: inout [Item]) -> Bool {
        batch.removeAll(keepingCapacity: true)
        while true {
            let step = state.withLock { state -> Step in
                if !state.probes.isEmpty {
                    defer { state.probes = [] }
                    return .complete(state.probes)
                }
                if state.items.isEmpty {
                    if state.isClosed { return .finished }
                    state.sleepers += 1
                    return .sleep
                }
                while batch.count < limit, let item = state.items.popFirst() {
                    batch.append(item)
                }
                return .taken
            }
            switch step {
            case .taken: return true
            case .finished: return false
            case .sleep: wake.wait()
            case .complete(let probes): for completion in probes { completion() }
            }
        }
    }

    /// Refuses further items; those in the queue can still be taken. Any thread.
    func close() {
        let sleepers = state.withLock { state -> Int in
            state.isClosed = true
            defer { state.sleepers = 0 }
            return state.sleepers
        }
        for _ in 0..<sleepers { wake.signal() }
    }
}
