import RocketSystem
import Synchronization

/// Wakes a waiting loop from other threads, at most once per sleep.
///
/// The loop says when it is about to sleep; only the first sender after that writes. The order is
/// what makes it safe: a sender first makes its task visible and then looks for a sleeper, the
/// loop first says that it sleeps and then looks for tasks.
final class Wakeup: Sendable {
    let event: EventDescriptor
    private let isAsleep = Atomic(false)

    init() throws(SystemError) { event = try EventDescriptor() }

    /// Any thread, after the task is visible. True when it wrote.
    @discardableResult
    func wakeIfAsleep() -> Bool {
        guard isAsleep.load(ordering: .sequentiallyConsistent),
            isAsleep.exchange(false, ordering: .sequentiallyConsistent)
        else { return false }
        event.signal()
        return true
    }

    /// The loop's thread, before it looks for tasks a last time.
    func willSleep() { isAsleep.store(true, ordering: .sequentiallyConsistent) }

    /// The loop's thread: it is awake, senders need not write.
    func isAwake() { isAsleep.store(false, ordering: .relaxed) }
}

/// Hears the eventfd: that it was heard is all there is to do.
final class WakeupHandler: IOHandler {
    func ready(_ events: IOEvents, on reactor: Reactor) { reactor.statistics.wakeups &+= 1 }
}
