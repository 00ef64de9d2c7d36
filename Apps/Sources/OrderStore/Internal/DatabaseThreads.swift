import Foundation
import RocketSystem

/// The threads of a store. Each runs one blocking function; their common end can be awaited.
///
/// SQLite waits for the disk, which would block a reactor or Swift's cooperative pool.
final class DatabaseThreads: Sendable {
    /// One for each thread.
    private let ends = Locked<[AsyncEvent]>([])

    /// Starts a thread that ends when `body` returns. `ps -T` shows the first 15 letters of `name`.
    func start(name: String, _ body: @escaping @Sendable () -> Void) {
        let end = AsyncEvent()
        ends.withLock { $0.append(end) }
        let thread = Thread {
            body()
            end.fire()
        }
        thread.name = name
        thread.start()
    }

    /// Suspends until every thread has ended.
    func ended() async { for end in ends.withLock({ $0 }) { await end.wait() } }
}
