import RocketBase
import RocketReactor

/// Gives drivers the loop as their executor.
actor LoopActor {
    private nonisolated let executor: PreferredLoopExecutor

    init(loop: EventLoop) { executor = PreferredLoopExecutor(loop) }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // SAFETY: the actor holds the executor, so the reference lives as long as the actor.
        unsafe executor.asUnownedSerialExecutor()
    }

    /// The life of a driver: one binding of the current call after the other.
    func drive(_ drivers: LoopBound<CallDrivers>, _ driver: LoopBound<CallDriver>) async {
        while drivers.get().employs(driver.get()) {
            await CallContext.$current.withValue(driver.get().call.freshContext()) {
                // The closure runs outside of the actor. Everything after this line is on it, so
                // that nothing within a call changes executors.
                await serve(drivers, driver)
            }
        }
    }

    private func serve(_ drivers: LoopBound<CallDrivers>, _ driver: LoopBound<CallDriver>) async {
        await drivers.get().drive(driver.get())
    }
}
