import RocketBase
import RocketReactor
import RocketRuntime

/// Runs handler tasks on the loop.
actor LoopActor {
    private nonisolated let executor: PreferredLoopExecutor

    init(loop: EventLoop) { executor = PreferredLoopExecutor(loop) }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // SAFETY: the actor holds the executor, so the reference lives as long as the actor.
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Starts a handler task, which is enqueued on the loop. On the loop.
    ///
    /// The loop is also the preferred executor, so that code that is awaited outside of actors,
    /// such as the closures of `withTaskCancellationHandler` and `TaskLocal.withValue`, runs on it,
    /// too.
    nonisolated func start(
        _ scheduler: LoopBound<HandlerScheduler>, _ task: LoopBound<HandlerTask>
    ) -> Task<Void, Never> {
        Task(executorPreference: scheduler.loop) { await self.run(scheduler, task) }
    }

    private func run(_ scheduler: LoopBound<HandlerScheduler>, _ task: LoopBound<HandlerTask>) async
    {
        let (scheduler, task) = (scheduler.get(), task.get())
        guard TaskLocalBinding.isAvailable else { return await scheduler.run(task) }
        // SAFETY: pushed and popped in the same task and function, with no other exit between.
        unsafe TaskLocalBinding.push(CallContext.$current, task.responder.context)
        guard let binding = unsafe TaskLocalBinding.address(of: CallContext.$current) else {
            preconditionFailure("what was pushed is not bound")
        }
        unsafe task.bind(binding)
        await scheduler.run(task)
        unsafe task.bind(nil)
        unsafe TaskLocalBinding.pop()
    }
}
