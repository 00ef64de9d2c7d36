import RocketSystem
import Synchronization

/// Tasks from other threads, in the order of their arrival, until the loop fetches them.
final class TaskInbox: Sendable {
    private struct State {
        var tasks: ContiguousArray<LoopTask> = []
        /// The loop has ended: closures are refused, jobs wait for whoever runs them then.
        var isEnded = false
    }

    // SAFETY: UnownedJob and @Sendable closures may cross threads; the lock holds the rest.
    private let state = Locked(State())
    private let hasTasks = Atomic(false)
    /// Tasks that the loop has fetched and not run yet.
    private let backlog = Atomic(0)

    /// What became of a task that was sent.
    enum Admission { case queued, queuedAfterEnd, refused, full }

    /// Any thread. Full when `limit` tasks wait, those that the loop has fetched included.
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

    /// Any thread; a hint unless the caller is the loop between `willSleep` and waiting.
    var isEmpty: Bool { !hasTasks.load(ordering: .sequentiallyConsistent) }

    /// The loop's thread: moves all tasks to the end of `ring`. `spare` is the other buffer, empty
    /// before and after, so that nothing is allocated in steady state.
    func drain(into ring: inout RingBuffer<LoopTask>, spare: inout ContiguousArray<LoopTask>) {
        state.withLock { state in
            swap(&state.tasks, &spare)
            backlog.store(ring.count + spare.count, ordering: .relaxed)
            hasTasks.store(false, ordering: .sequentiallyConsistent)
        }
        for task in spare { ring.append(task) }
        spare.removeAll(keepingCapacity: spare.count <= Self.keptCapacity)
    }

    /// The loop's thread, when that number has changed.
    func publish(backlog count: Int) { backlog.store(count, ordering: .relaxed) }

    /// From now on closures are refused.
    func end() { state.withLock { $0.isEnded = true } }

    /// Entries whose memory is kept for the next batch.
    private static let keptCapacity = 16_384
}
