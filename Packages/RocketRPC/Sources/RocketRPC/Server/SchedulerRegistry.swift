import RocketSystem
import RocketReactor

/// Finds the drivers of each sub reactor; made with a loop's first connection.
final class SchedulerRegistry: Sendable {
    private let all = Locked<[ObjectIdentifier: (EventLoop, LoopBound<HandlerScheduler>)]>([:])

    /// On the reactor's loop.
    func drivers(on reactor: Reactor, _ dispatcher: RPCDispatcher) -> HandlerScheduler {
        let key = ObjectIdentifier(reactor.loop)
        let found = all.withLock { $0[key] }
        if let found { return found.1.get() }
        // Nobody else makes this loop's drivers: we are on the loop.
        let drivers = HandlerScheduler(reactor: reactor, dispatcher: dispatcher)
        let bound = LoopBound(drivers, on: reactor)
        all.withLock { $0[key] = (reactor.loop, bound) }
        return drivers
    }

    /// Ends the drivers of all loops. Any thread; before the loops are stopped.
    func stopDrivers() {
        for (loop, drivers) in all.withLock({ Array($0.values) }) {
            loop.execute { _ in drivers.get().stop() }
        }
    }
}
