import RocketReactor

/// Gives drivers the loop as their executor.
actor LoopActor {
    private nonisolated let executor: PreferredLoopExecutor

    init(loop: EventLoop) { executor = PreferredLoopExecutor(loop) }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // SAFETY: the actor holds the executor, so the reference lives as long as the actor.
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Starts the life of a driver, which takes the task-local values over that are bound now. On
    /// the loop; the driver runs from its queue.
    ///
    /// Its task prefers the loop: what a handler awaits outside of every actor (the closures of
    /// `withTaskCancellationHandler` and `TaskLocal.withValue`, to begin with) stays here, too.
    nonisolated func start(
        _ drivers: LoopBound<HandlerScheduler>, _ driver: LoopBound<HandlerTask>
    ) -> Task<Void, Never> {
        Task(executorPreference: drivers.loop) { await self.drive(drivers, driver) }
    }

    private func drive(_ drivers: LoopBound<HandlerScheduler>, _ driver: LoopBound<HandlerTask>)
        async
    {
        await drivers.get().drive(driver.get())
    }
}
