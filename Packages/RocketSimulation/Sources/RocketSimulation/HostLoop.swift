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
        /// Rises from one to the next.
        let order: UInt64
        var isCandidate = false

        var isReady: Bool {
            let wanted = IOEvents(rawValue: interest.rawValue & 7).union([.hangup, .error])
            return !socket.events.isDisjoint(with: wanted)
        }
    }

    let process: HostProcess
    let index: Int
    let name: String
    private var own: EventLoop?
    /// By descriptor.
    private var watched: [Int32: Watched] = [:]
    private var watchedBefore: UInt64 = 0
    /// The descriptors that may be ready: those that were at the last look, and those that have changed
    /// since. A look at all of a loop with a thousand connections took most of the time of a world.
    private var candidates: [Int32] = []
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

    init(_ name: String, of process: HostProcess, index: Int) {
        self.name = name
        self.process = process
        self.index = index
    }

    /// Creates the loop and lets it sleep.
    func start(
        _ configuration: EventLoopConfiguration, logger: RocketLogger
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
        wake(at: candidates.contains { watched[$0]?.isReady == true } ? world.now : deadline)
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
        watchedBefore += 1
        watched[number] = Watched(
            socket: socket, interest: interest, token: token, order: watchedBefore)
        mayBeReady(number)
    }

    func change(_ number: Int32, _ interest: IOInterest, token: UInt64) throws(SystemError) {
        if watched[number] == nil { throw SystemError("epoll_ctl", .badDescriptor) }
        watched[number]?.interest = interest
        mayBeReady(number)
    }

    func remove(_ number: Int32) throws(SystemError) {
        guard let socket = watched[number]?.socket else {
            throw SystemError("epoll_ctl", .badDescriptor)
        }
        socket.watcher = nil
        forget(number)
    }

    /// The socket was closed, which ends watching it.
    func forget(_ number: Int32) {
        if watched.removeValue(forKey: number)?.isCandidate == true {
            candidates.removeAll { $0 == number }
        }
    }

    private func mayBeReady(_ number: Int32) {
        if watched[number]?.isCandidate != false { return }
        watched[number]?.isCandidate = true
        candidates.append(number)
    }

    func poll() -> Int {
        var found: [(number: Int32, watched: Watched)] = []
        for number in candidates {
            guard let one = watched[number] else { continue }
            if one.isReady {
                found.append((number, one))
            } else {
                watched[number]?.isCandidate = false
            }
        }
        candidates = found.map(\.number)
        found.sort { $0.watched.order < $1.watched.order }
        ready = found.map { ($0.watched.token, $0.watched.socket.events) }
        // The kernel's order is not to be relied upon.
        ready.shuffle(using: &world.networkRandom)
        return ready.count
    }

    func event(_ index: Int) -> (token: UInt64, events: IOEvents) { ready[index] }

    func wake() { wake(at: world.now) }

    /// A socket of this loop may have become ready.
    func changed(_ socket: SocketEnd) {
        mayBeReady(socket.number)
        if wakeAt != nil, !hasEnded, watched[socket.number]?.isReady == true {
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
        watched = [:]
        candidates = []
        loop.claim()
        loop.stop()
        loop.end()
        end.fire()
    }

    /// Releases the loop, which refers to this object.
    func release() { own = nil }
}
