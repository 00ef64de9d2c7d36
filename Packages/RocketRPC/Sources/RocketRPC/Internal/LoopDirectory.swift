import RocketSystem
import RocketReactor

/// Finds what each sub reactor's connections share; made with a loop's first connection.
final class LoopDirectory: Sendable {
    private let cores = Locked<[ObjectIdentifier: (EventLoop, LoopBound<ServerLoop>)]>([:])

    /// On the reactor's loop.
    func core(on reactor: Reactor, _ make: () -> ServerLoop) -> ServerLoop {
        let key = ObjectIdentifier(reactor.loop)
        let found = cores.withLock { $0[key] }
        if let found { return found.1.get() }
        // Nobody else makes this loop's core: we are on the loop.
        let core = LoopBound(make(), on: reactor)
        cores.withLock { $0[key] = (reactor.loop, core) }
        return core.get()
    }

    /// Ends the drivers of all loops. Any thread; before the loops are stopped.
    func stopDrivers() {
        for (loop, core) in cores.withLock({ Array($0.values) }) {
            loop.execute { _ in core.get().drivers.stop() }
        }
    }
}
