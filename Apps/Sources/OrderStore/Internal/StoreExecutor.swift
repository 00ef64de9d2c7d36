package import OrderStoring
package import RocketSystem

/// What happens to a worker after a step.
package enum WorkerStep: Hashable, Sendable {
    /// The next step follows when the work of this one is done: at once on a thread, which has
    /// waited for the disk meanwhile.
    case again
    /// The next step follows `WorkerHandle.wake`, or this time if that is earlier; nil: no time.
    case sleep(until: MonotonicTime?)
    /// There is no further step.
    case finished
}

/// The work of one thread of a store, in steps that end instead of waiting for requests or for a
/// time. Within a step SQLite waits for the disk. Belongs to the executor that it was started on.
package protocol StoreWorker: Sendable {
    /// Does the next part of the work.
    ///
    /// - Parameter handle: this worker as those see it who wake it.
    mutating func step(for handle: any WorkerHandle) -> WorkerStep
}

/// Runs the workers of one store: each on a thread of its own (`DatabaseThreads`), or all of them on
/// an event loop in a simulation. Any thread.
package protocol StoreExecutor: Sendable {
    /// Starts a worker, whose steps follow one another until one returns `.finished`.
    ///
    /// - Parameter name: for `ps -T`, which shows the first 15 letters.
    /// - Throws: `SystemError` (EAGAIN: the limit on threads is reached).
    func start(_ name: String, _ worker: some StoreWorker) throws(SystemError)
    /// Suspends until every worker has finished.
    func ended() async
}
