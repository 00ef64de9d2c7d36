import RocketBase
@_spi(Simulation) import RocketReactor
@_spi(Simulation) import RocketSystem

// SAFETY: confined to the world's thread, as `HostKernel.checkCall` and `World.schedule` check.

/// One event loop of a simulated host: reports the readiness of its sockets, and runs its ticks at
/// times of the world.
final class HostLoop: SimulatedPoller, LoopThread, @unchecked Sendable {
    private struct Watched {
        let socket: SocketEnd
        var interest: IOInterest
        let token: UInt64
    }

    let process: HostProcess
    let index: Int
    private var own: EventLoop?
    private var watched: [Watched] = []
    private var ready: [(token: UInt64, events: IOEvents)] = []
    /// When the next tick begins; nil: it is running.
    private(set) var wakeAt: MonotonicTime? = .distantFuture
    /// Identifies the wake-up that counts.
    private var wakeNumber: UInt64 = 0
    private(set) var hasEnded = false
    private let end = AsyncEvent()

    var loop: EventLoop {
        guard let own else { preconditionFailure("a loop of a host has its loop from start on") }
        return own
    }

    private var world: World { process.host.world }

    init(of process: HostProcess, index: Int) {
        self.process = process
        self.index = index
    }

    /// Creates the loop and lets it sleep.
    func start(
        name: String, configuration: EventLoopConfiguration, logger: RocketLogger
    ) throws(SystemError) {
        var configuration = configuration
        // The world's callbacks take no time.
        configuration.slowCallback = nil
        configuration.runAfterEnd = { [process] body in
            process.host.world.schedule(after: .zero) { if process.isAlive { body() } }
        }
        let loop = try EventLoop(
            name: name, configuration: configuration, time: process.host.hostTime,
            random: SeededGenerator(seed: world.loopSeed()), logger: logger,
            simulated: SimulatedKernel(poller: self, network: process.host.kernel))
        own = loop
        loop.claim()
        sleep()
    }

    // MARK: Ticks

    /// Runs one tick, then sleeps.
    private func tick() {
        wakeAt = nil
        loop.claim()
        let result = loop.finishTick()
        world.ticked(self, result)
        if !loop.isStopRequested { return sleep() }
        loop.end()
        hasEnded = true
        ready = []
        end.fire()
    }

    private func sleep() {
        let host = process.host
        let deadline = host.hostTime.worldTime(of: loop.beginTick())
        loop.release()
        wake(at: watched.contains { isReady($0) } ? world.now : deadline)
    }

    /// Begins the next tick at `time`, or earlier if that was planned already.
    private func wake(at time: MonotonicTime) {
        if time == .distantFuture, wakeAt == nil { wakeAt = .distantFuture }
        if let wakeAt, wakeAt <= time { return }
        let begin = max(time, world.now) + world.schedulingDelay()
        wakeAt = begin
        wakeNumber += 1
        let number = wakeNumber
        world.schedule(at: process.host.unpaused(begin)) { [self] in
            guard number == wakeNumber, process.isAlive, !hasEnded else { return }
            if let until = process.host.pausedUntil, until > world.now {
                return world.schedule(at: until) { [self] in
                    if number == wakeNumber, process.isAlive, !hasEnded { tick() }
                }
            }
            tick()
        }
    }

    /// Whether the next tick begins soon: within the delay of a scheduler.
    var isWoken: Bool {
        guard let wakeAt else { return true }
        return wakeAt <= world.now + World.longestSchedulingDelay
    }

    // MARK: LoopThread

    func stop() { loop.stop() }
    func ended() async { await end.wait() }

    // MARK: SimulatedPoller

    func add(_ number: Int32, _ interest: IOInterest, token: UInt64) throws(SystemError) {
        guard let socket = process.host.kernel.socket(number) else {
            throw SystemError("epoll_ctl", .badDescriptor)
        }
        socket.watcher = self
        watched.append(Watched(socket: socket, interest: interest, token: token))
    }

    func change(_ number: Int32, _ interest: IOInterest, token: UInt64) throws(SystemError) {
        guard let index = watched.firstIndex(where: { $0.socket.number == number }) else {
            throw SystemError("epoll_ctl", .badDescriptor)
        }
        watched[index].interest = interest
    }

    func remove(_ number: Int32) throws(SystemError) {
        guard let socket = watched.first(where: { $0.socket.number == number })?.socket else {
            throw SystemError("epoll_ctl", .badDescriptor)
        }
        socket.watcher = nil
        forget(number)
    }

    /// The socket was closed, which ends watching it.
    func forget(_ number: Int32) { watched.removeAll { $0.socket.number == number } }

    func poll() -> Int {
        ready = watched.compactMap { watched in
            let events = watched.socket.events
            return isReady(watched) ? (watched.token, events) : nil
        }
        // The kernel's order is not to be relied upon.
        ready.shuffle(using: &world.networkRandom)
        return ready.count
    }

    func event(_ index: Int) -> (token: UInt64, events: IOEvents) { ready[index] }

    func wake() { wake(at: world.now) }

    private func isReady(_ watched: Watched) -> Bool {
        let wanted = IOEvents(rawValue: watched.interest.rawValue & 7)
            .union([.hangup, .error])
        return !watched.socket.events.isDisjoint(with: wanted)
    }

    /// A socket of this loop may have become ready.
    func socketChanged() {
        if wakeAt != nil, !hasEnded, watched.contains(where: { isReady($0) }) {
            wake(at: world.now)
        }
    }

    /// Runs one tick of a dead process.
    func lastTick() {
        if hasEnded { return }
        loop.claim()
        loop.finishTick()
        if loop.isStopRequested { return discard() }
        _ = loop.beginTick()
        loop.release()
    }

    /// Ends the loop of a dead process, to free its memory.
    func discard() {
        if hasEnded { return }
        hasEnded = true
        watched = []
        loop.claim()
        loop.stop()
        loop.end()
        end.fire()
    }

    /// Releases the loop, which refers to this object.
    func release() { own = nil }
}
