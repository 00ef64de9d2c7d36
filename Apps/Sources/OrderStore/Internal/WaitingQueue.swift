import Dispatch
import RocketSystem

/// What waits for a database thread: first in, first out, never more than its limit.
///
/// Any thread appends and never blocks; the threads that take sleep while it is empty. A sleeper
/// is woken once, however much arrives before it runs: what has gathered by then is its batch.
final class WaitingQueue<Item: Sendable>: Sendable {
    /// What became of an item on its way in.
    enum Admission { case accepted, full, closed }

    private enum Step { case taken, finished, sleep, answer([@Sendable () -> Void]) }

    private struct State {
        var items: [Item] = []
        /// Who asked whether the threads that take still come round.
        var questions: [@Sendable () -> Void] = []
        var sleepers = 0
        var isClosed = false
    }

    let limit: Int
    private let state = Locked(State())
    private let wake = DispatchSemaphore(value: 0)

    init(limit: Int) { self.limit = limit }

    /// How many wait. Any thread.
    var count: Int { state.withLock { $0.items.count } }

    /// Any thread.
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

    /// Has a thread that takes run `answer` before it takes or sleeps again; at once when the queue
    /// is closed. Any thread; does not wait.
    func ask(_ answer: @escaping @Sendable () -> Void) {
        let (isClosed, mustWake) = state.withLock { state -> (Bool, Bool) in
            if state.isClosed { return (true, false) }
            state.questions.append(answer)
            guard state.sleepers > 0 else { return (false, false) }
            state.sleepers -= 1
            return (false, true)
        }
        if isClosed { answer() }
        if mustWake { wake.signal() }
    }

    /// Puts up to `limit` items into `batch` in the order of their arrival, and sleeps until
    /// there is one. False when the queue is closed and nothing is left in it.
    func take(upTo limit: Int, into batch: inout [Item]) -> Bool {
        batch.removeAll(keepingCapacity: true)
        while true {
            let step = state.withLock { state -> Step in
                if !state.questions.isEmpty {
                    defer { state.questions = [] }
                    return .answer(state.questions)
                }
                if state.items.isEmpty {
                    if state.isClosed { return .finished }
                    state.sleepers += 1
                    return .sleep
                }
                if state.items.count <= limit {
                    // The two arrays change places, so neither grows anew.
                    swap(&state.items, &batch)
                } else {
                    batch.append(contentsOf: state.items.prefix(limit))
                    state.items.removeFirst(limit)
                }
                return .taken
            }
            switch step {
            case .taken: return true
            case .finished: return false
            case .sleep: wake.wait()
            case .answer(let questions): for answer in questions { answer() }
            }
        }
    }

    /// Any thread. Refuses what comes from now on; what waits is still handed out.
    func close() {
        let sleepers = state.withLock { state -> Int in
            state.isClosed = true
            defer { state.sleepers = 0 }
            return state.sleepers
        }
        for _ in 0..<sleepers { wake.signal() }
    }
}
