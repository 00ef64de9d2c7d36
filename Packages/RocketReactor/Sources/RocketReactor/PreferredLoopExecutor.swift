/// A loop as the executor of an actor whose every task prefers that loop, too.
///
/// The runtime tells executors apart by identity, the task's preference included: with the loop
/// itself as the actor's executor such a task would go through the queue again after each await,
/// although it is where it should be. Tasks with another preference, or none, do so here.
///
/// The actor owns it. Any thread.
public final class PreferredLoopExecutor: SerialExecutor {
    private let loop: EventLoop

    /// The executor of one actor.
    public init(_ loop: EventLoop) { self.loop = loop }

    /// A job of the actor. Any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        _ = loop.send(.both(UnownedJob(job), self), isJob: true)
    }

    /// Traps when not on the loop's thread.
    public func checkIsolated() { loop.checkIsolated() }

    /// True on the loop's thread.
    public func isIsolatingCurrentContext() -> Bool? { loop.isInLoop }
}
