import RocketSystem
import Synchronization

/// Wakes a waiting loop from other threads, at most once per sleep. Owned by the loop.
///
/// The loop announces that it is about to sleep; only the first sender after that writes to the
/// eventfd. No wakeup is lost because of the order: a sender first makes its task visible and then
/// checks for a sleeper, the loop first announces the sleep and then checks for tasks.
final class Wakeup: Sendable {
    let event: EventDescriptor
    private let isAsleep = Atomic(false)

    init() throws(SystemError) { event = try EventDescriptor() }

    /// Wakes the loop if it sleeps. Any thread, after the task is visible. Returns true when it
    /// wrote.
    @discardableResult
    func wakeIfAsleep() -> Bool {
        guard isAsleep.load(ordering: .sequentiallyConsistent),
            isAsleep.exchange(false, ordering: .sequentiallyConsistent)
        else { return false }
        event.signal()
        return true
    }

    /// Announces a sleep, then checks for tasks: in this order, or a task that is sent in between is
    /// noticed by neither side. On the loop's thread.
    ///
    /// - Parameter hasTasks: the last check. It sees each task whose sender has not seen the
    ///   announcement.
    /// - Returns: whether the loop may sleep.
    @inline(__always)
    func announceSleep(unless hasTasks: () -> Bool) -> Bool {
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        return !hasTasks()
    }

    /// Records that the loop is awake: senders need not write. On the loop's thread.
    func isAwake() { isAsleep.store(false, ordering: .relaxed) }
}

/// Handles the eventfd of the wakeup: the event itself has ended the wait.
final class WakeupHandler: IOHandler {
    func ready(_ events: IOEvents, on reactor: Reactor) { reactor.statistics.wakeups &+= 1 }
}
