import Dispatch
import OrderStoring
import RocketSystem

/// The threads of a store, one for each worker; their common end can be awaited.
///
/// SQLite waits for the disk, which would block a reactor or Swift's cooperative pool.
final class DatabaseThreads: StoreExecutor {
    private let time: any TimeSource
    /// One for each thread.
    private let ends = Locked<[AsyncEvent]>([])

    /// - Parameter time: the clock of the times at which sleeps end.
    init(time: any TimeSource) { self.time = time }

    func start(_ name: String, _ worker: some StoreWorker) throws(SystemError) {
        let end = AsyncEvent()
        let thread = try SystemThread(name: name) { [time] in
            var worker = worker
            let sleeper = Sleeper()
            running: while true {
                switch worker.step(for: sleeper) {
                case .again: continue
                case .sleep(let deadline): sleeper.sleep(until: deadline, time)
                case .finished: break running
                }
            }
            end.fire()
        }
        thread.detach()
        ends.withLock { $0.append(end) }
    }

    func ended() async { for end in ends.withLock({ $0 }) { await end.wait() } }

    private final class Sleeper: WorkerHandle {
        // determinism: a simulation has no threads, but an executor of its own
        private let semaphore = DispatchSemaphore(value: 0)

        func wake() { semaphore.signal() }

        /// Sleeps a minute at most if there is a deadline, since the clock of `time` may be another
        /// one than that of the thread.
        func sleep(until deadline: MonotonicTime?, _ time: any TimeSource) {
            guard let deadline else { return semaphore.wait() }
            let wait = min(max(deadline - time.monotonic(), .microseconds(20)), .seconds(60))
            // determinism: a simulation has no threads, but an executor of its own
            _ = semaphore.wait(timeout: .now() + .nanoseconds(Int(wait.wholeNanoseconds)))
        }
    }
}
