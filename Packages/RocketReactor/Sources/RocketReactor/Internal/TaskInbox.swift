import RocketSystem
import Synchronization

/// Tasks from other threads, in the order of their arrival, until the loop takes them. Owned by the
/// loop.
final class TaskInbox: Sendable {
    private struct State {
        var tasks: ContiguousArray<LoopTask> = []
        /// The loop has ended: closures are refused, jobs wait for a thread that claims the loop.
        var isEnded = false
    }

    // SAFETY: UnownedJob and @Sendable closures may cross threads; the lock holds the rest.
    private let state = Locked(State())
    private let hasTasks = Atomic(false)
    /// Tasks that the loop has taken and not run yet.
    private let backlog = Atomic(0)

    /// The outcome of sending a task.
    enum Admission { case queued, queuedAfterEnd, refused, full }

    /// Appends a task. Any thread. Returns `full` when `limit` tasks wait, those that the loop has
    /// taken included.
    func append(_ task: consuming sending LoopTask, isJob: Bool, limit: Int = .max) -> Admission {
        let task = task
        return state.withLock { state in
            if state.isEnded, !isJob { return .refused }
            if state.tasks.count &+ backlog.load(ordering: .relaxed) >= limit { return .full }
            state.tasks.append(task)
            hasTasks.store(true, ordering: .sequentiallyConsistent)
            return state.isEnded ? .queuedAfterEnd : .queued
        }
    }

    /// Any thread; only a hint, except on the loop in `announceSleep`.
    var isEmpty: Bool { !hasTasks.load(ordering: .sequentiallyConsistent) }

    /// Moves all tasks to the end of `ring`, on the loop's thread. `spare` is the other buffer,
    /// empty before and after, so that nothing is allocated in steady state.
    func drain(into ring: inout RingBuffer<LoopTask>, spare: inout ContiguousArray<LoopTask>) {
        state.withLock { state in
            swap(&state.tasks, &spare)
            backlog.store(ring.count + spare.count, ordering: .relaxed)
            hasTasks.store(false, ordering: .sequentiallyConsistent)
        }
        for task in spare { ring.append(task) }
        spare.removeAll(keepingCapacity: spare.count <= Self.keptCapacity)
    }

    /// Publishes how many tasks wait on the loop, when that has changed. On the loop's thread.
    func publish(backlog count: Int) { backlog.store(count, ordering: .relaxed) }

    /// Refuses closures from now on.
    func end() { state.withLock { $0.isEnded = true } }

    /// The number of entries whose memory is kept for the next batch.
    private static let keptCapacity = 16_384
}

/// Wakes a waiting loop from other threads, at most once per sleep. Owned by the loop.
///
/// The loop announces that it is about to sleep; only the first sender after that writes to the
/// eventfd. No wakeup is lost because of the order: a sender first makes its task visible and then
/// checks for a sleeper, the loop first announces the sleep and then checks for tasks.
final class Wakeup: Sendable {
    private enum Signal: ~Copyable, Sendable {
        case event(EventDescriptor)
        case simulated(any SimulatedPoller)
    }

    private let signal: Signal
    private let isAsleep = Atomic(false)

    init() throws(SystemError) { signal = .event(try EventDescriptor()) }

    /// Wakes a loop of a simulation.
    init(_ poller: any SimulatedPoller) { signal = .simulated(poller) }

    /// Watches the event of this wakeup. Once, on the loop.
    func register(on reactor: Reactor) throws(SystemError) {
        switch signal {
        case .event(let event):
            _ = try reactor.register(
                event.descriptor, interest: [.read, .edgeTriggered], label: "wakeup",
                handler: WakeupHandler())
        case .simulated: break
        }
    }

    /// Wakes the loop if it sleeps. Any thread, after the task is visible. Returns true when it
    /// wrote.
    @discardableResult
    func wakeIfAsleep() -> Bool {
        guard isAsleep.load(ordering: .sequentiallyConsistent),
            isAsleep.exchange(false, ordering: .sequentiallyConsistent)
        else { return false }
        signalNow()
        return true
    }

    /// Whether the loop sleeps, and nobody has woken it. Any thread; only a hint.
    var hasSleeper: Bool { isAsleep.load(ordering: .relaxed) }

    private func signalNow() {
        switch signal {
        case .event(let event): event.signal()
        case .simulated(let poller): poller.wake()
        }
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
