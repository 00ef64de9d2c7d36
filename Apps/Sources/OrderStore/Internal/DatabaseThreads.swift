import RocketSystem

/// The threads of a store. Each runs one blocking function; their common end can be awaited.
///
/// SQLite waits for the disk, which would block a reactor or Swift's cooperative pool.
final class DatabaseThreads: Sendable {
    /// One for each thread.
    private let ends = Locked<[AsyncEvent]>([])

    /// Starts a thread that ends when `body` returns. `ps -T` shows the first 15 letters of `name`.
    ///
    /// - Throws: `SystemError` (EAGAIN: the limit on threads is reached).
    func start(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        let end = AsyncEvent()
        let thread = try SystemThread(name: name) {
            body()
            end.fire()
        }
        thread.detach()
        ends.withLock { $0.append(end) }
    }

    /// Suspends until every thread has ended.
    func ended() async { for end in ends.withLock({ $0 }) { await end.wait() } }
}
