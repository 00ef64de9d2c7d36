import RocketReactor
import RocketSystem

/// The schedulers of all sub reactors; each is created for the first connection of its loop.
final class SchedulerRegistry: Sendable {
    private let age: ConnectionAge?
    private let load: ServerLoad?
    private let metrics: ServerMetrics?
    /// In the order of their making.
    private let all = Locked<[LoopBound<HandlerScheduler>]>([])

    init(
        age: ConnectionAge? = nil, load: ServerLoad? = nil, metrics: ServerMetrics? = nil
    ) {
        self.age = age
        self.load = load
        self.metrics = metrics
    }

    /// Returns the scheduler of the reactor, which is created if necessary. On the reactor's loop.
    func scheduler(on reactor: Reactor, _ dispatcher: RPCDispatcher) -> HandlerScheduler {
        let found = all.withLock { all in all.first { $0.loop === reactor.loop } }
        if let found { return found.get() }
        // Only this loop creates its scheduler, so no other thread can have created one meanwhile.
        let scheduler = HandlerScheduler(
            reactor: reactor, dispatcher: dispatcher, age: age, load: load,
            metrics: metrics, registry: self)
        let bound = LoopBound(scheduler, on: reactor)
        all.withLock { $0.append(bound) }
        return scheduler
    }

    /// Returns the scheduler of a loop; nil: it has had no connection. On the loop.
    func existingScheduler(of loop: EventLoop) -> HandlerScheduler? {
        all.withLock { all in all.first { $0.loop === loop } }?.get()
    }

    /// Stops the schedulers of all loops. Any thread; before the loops are stopped.
    func stopAll() {
        for scheduler in all.withLock({ $0 }) {
            scheduler.loop.execute { _ in scheduler.get().stop() }
        }
    }
}

extension HandlerScheduler {
    /// The time of the current tick.
    var now: MonotonicTime { reactor.now }
}
