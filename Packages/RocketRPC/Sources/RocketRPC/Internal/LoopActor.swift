import RocketReactor

/// Gives drivers the loop as their executor.
actor LoopActor {
    private nonisolated let loop: EventLoop

    init(loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // SAFETY: the actor holds the loop, so the reference lives as long as the actor.
        unsafe loop.asUnownedSerialExecutor()
    }

    func drive(_ drivers: LoopBound<CallDrivers>, _ driver: LoopBound<CallDriver>) async {
        await drivers.get().drive(driver.get())
    }
}
