/// Actors can be pinned to a loop, and tasks can prefer it. Jobs stand in one queue with the
/// closures of `execute`, in the order of their arrival.
extension EventLoop: SerialExecutor, TaskExecutor {
    /// A job of an actor that is pinned to this loop. Any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        _ = send(.isolated(UnownedJob(job)), isJob: true)
    }

    /// A job of a task that prefers this loop, and of no actor. Any thread.
    ///
    /// It has to be told apart from an actor's: run with the other's identity, a task would go
    /// through the queue again on each call that changes isolation. There is one requirement of
    /// that name in each protocol, and no way but this attribute to implement them differently.
    @_implements(TaskExecutor,enqueue(_:))
    public func enqueuePreferring(_ job: consuming ExecutorJob) {
        _ = send(.preferring(UnownedJob(job)), isJob: true)
    }

    /// Traps when not on the loop's thread: `assumeIsolated` of an actor pinned here works in
    /// callbacks.
    public func checkIsolated() {
        precondition(isInLoop, "isolated to the loop, but not on its thread")
    }

    /// True on the loop's thread.
    public func isIsolatingCurrentContext() -> Bool? { isInLoop }
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
