// Who runs a job as whom. The Swift runtime compares executors by identity, that of the task's
// preference included, and sends a job through the queue again where they differ:
//
//   job of                                      enqueued by                    run as
//   an actor whose executor is the loop         EventLoop.enqueue              serial executor
//   a task that prefers the loop, no actor      EventLoop.enqueuePreferring    task executor
//   both: actor and preference                  PreferredLoopExecutor.enqueue  both

/// Actors can be pinned to a loop, and tasks can prefer it. Jobs share one queue with the closures
/// of `execute`, in the order of their arrival.
extension EventLoop: SerialExecutor, TaskExecutor {
    /// Enqueues a job of an actor that is pinned to this loop. Any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        _ = send(.isolated(UnownedJob(job)), isJob: true)
    }

    /// Enqueues a job of a task that prefers this loop, and of no actor. Any thread.
    ///
    /// The job must be distinguished from an actor's: run with the actor's identity, its task would
    /// pass through the queue again on each call that changes isolation. Both protocols have a
    /// requirement of that name; only this attribute can implement them differently.
    @_implements(TaskExecutor,enqueue(_:))
    public func enqueuePreferring(_ job: consuming ExecutorJob) {
        _ = send(.preferring(UnownedJob(job)), isJob: true)
    }

    /// Traps off the loop's thread. Makes `assumeIsolated` of an actor that is pinned here work in
    /// callbacks.
    public func checkIsolated() {
        precondition(isInLoop, "isolated to the loop, but not on its thread")
    }

    /// Returns true on the loop's thread.
    public func isIsolatingCurrentContext() -> Bool? { isInLoop }
}

/// A loop as the executor of an actor all of whose tasks prefer that loop, too.
///
/// With the loop itself as the actor's executor, such a task would pass through the queue again
/// after each await, although it is on the right thread. Tasks with another preference, or none, do
/// so with this one. Owned by the actor. Any thread.
public final class PreferredLoopExecutor: SerialExecutor {
    private let loop: EventLoop

    /// Creates the executor of one actor.
    public init(_ loop: EventLoop) { self.loop = loop }

    /// Enqueues a job of the actor. Any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        _ = loop.send(.both(UnownedJob(job), self), isJob: true)
    }

    /// Traps off the loop's thread.
    public func checkIsolated() { loop.checkIsolated() }

    /// Returns true on the loop's thread.
    public func isIsolatingCurrentContext() -> Bool? { loop.isInLoop }
}

/// One entry of a loop's queue.
enum LoopTask {
    case closure(@Sendable (Reactor) -> Void)
    /// A job of an actor that is pinned to the loop.
    case isolated(UnownedJob)
    /// A job of no actor, whose task prefers the loop.
    case preferring(UnownedJob)
    /// A job of an actor that is pinned to the loop, whose task prefers the loop.
    case both(UnownedJob, PreferredLoopExecutor)

    /// Names the kind of task in logs of slow callbacks.
    var label: StaticString {
        switch self {
        case .closure: "execute"
        case .isolated: "actor job"
        case .preferring: "task job"
        case .both: "actor job"
        }
    }
}

extension Reactor {
    /// Runs one task of the queue.
    @inline(__always)
    func perform(_ task: LoopTask) {
        switch task {
        case .closure(let body): body(self)
        // SAFETY: each job is run once, by the executor that it was enqueued on, which lives.
        case .isolated(let job): unsafe job.runSynchronously(on: serialExecutor)
        case .preferring(let job): unsafe job.runSynchronously(on: taskExecutor)
        case .both(let job, let executor):
            unsafe job.runSynchronously(
                isolatedTo: executor.asUnownedSerialExecutor(), taskExecutor: taskExecutor)
        }
    }
}
