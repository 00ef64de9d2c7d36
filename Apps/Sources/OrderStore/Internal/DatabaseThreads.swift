import Foundation
import RocketSystem

/// The store's own threads: each runs one blocking body, and their common end can be awaited.
///
/// SQLite waits for the disk; neither a reactor nor Swift's cooperative pool may do that.
final class DatabaseThreads: Sendable {
    private struct State {
        var running = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    /// Starts a thread that ends when `body` returns. `name` is what `ps -T` shows, 15 letters.
    func start(name: String, _ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.running += 1 }
        let thread = Thread {
            body()
            self.ended()
        }
        thread.name = name
        thread.start()
    }

    /// Suspends until every thread has ended.
    func finished() async {
        await withCheckedContinuation { waiter in
            let isOver = state.withLock { state -> Bool in
                guard state.running > 0 else { return true }
                state.waiters.append(waiter)
                return false
            }
            if isOver { waiter.resume() }
        }
    }

    private func ended() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running -= 1
            guard state.running == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
