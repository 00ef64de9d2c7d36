@_spi(Simulation) public import RocketReactor
public import RocketSystem
public import RocketTCP

// SAFETY: confined to the world's thread, which `HostKernel.checkCall` checks at each system call.

/// A machine of a world: event loops that the world drives, sockets, clocks, and one process that
/// can be killed and started again. Made by `World.host`. Bound to the world's thread.
///
/// What runs on a host runs on its loops: handlers of servers, calls of channels, and the tasks that
/// `run` starts. Use structured concurrency inside them: a `Task { … }` of its own runs on Swift's
/// global pool, outside of the world.
public final class Host: @unchecked Sendable {
    /// Its name in traces.
    public let name: String
    /// The world that it belongs to.
    public let world: World
    /// Its kernel's limits on sockets. Changes apply to sockets from now on.
    public var socketLimits = SocketLimits() { didSet { socketLimits.check() } }
    /// Its disk: `kill` keeps what was written to it, `losePower` loses or tears what was not
    /// synced, by the world's seed.
    public let disk = SimulatedDisk()
    /// Faults keep its process down until then.
    var downUntil = VirtualTime.start
    let index: UInt64
    let hostTime: HostTime
    private(set) var process: HostProcess?
    private let boot: (Host) throws -> Void
    private(set) var pausedUntil: MonotonicTime?
    private(set) var isPowered = true
    /// Processes that this host has had before.
    private(set) var deadProcesses: [HostProcess] = []
    /// How often its process was started.
    public private(set) var starts: UInt64 = 0
    /// Tasks of killed processes resume, for the last time.
    private(set) var isFreeing = false
    private var sleepsWhileFreed = 0
    private static let mostSleepsWhileFreed = 10_000
    private(set) lazy var kernel = HostKernel(of: self)
    private lazy var diskRandom = world.generator("disk of host \(index)")

    init(
        _ name: String, index: UInt64, of world: World, time: HostTime,
        boot: @escaping (Host) throws -> Void
    ) {
        self.name = name
        self.index = index
        self.world = world
        hostTime = time
        self.boot = boot
    }

    /// The address of a port of this host: `10.0.0.1:80` of the first host.
    public func address(port: UInt16) -> NetAddress {
        NetAddress(.ipv4(bits: 0x0A00_0000 | UInt32(index), port: port))
    }

    /// Its clocks. The monotonic one begins at another moment on each host.
    public var time: any TimeSource { hostTime }

    /// Whether its process runs.
    public var isRunning: Bool { process != nil }

    /// Whether its process runs, and does not end.
    var isServing: Bool { process.map { $0.ending == nil } ?? false }

    /// The loop of its process on which `run` starts tasks: for channels. Traps unless it runs.
    public var loop: EventLoop { running.main.loop }

    var running: HostProcess {
        guard let process else {
            preconditionFailure(
                "\(name): its process does not run: start it, or ask isRunning before")
        }
        return process
    }

    // MARK: The process

    /// Starts the process: makes its first loop and runs the boot closure. No effect while it runs,
    /// also while it ends after `drain`: wait until `isRunning` is false.
    ///
    /// - Throws: what the boot closure throws; the process does not run then.
    public func start() throws {
        if process != nil { return }
        if !isPowered {
            isPowered = true
            world.powered(self)
        }
        starts += 1
        let process = try HostProcess(on: self, number: starts)
        self.process = process
        world.record("start", index) { [name] in "\(name): start" }
        do { try boot(self) } catch {
            kill()
            throw error
        }
    }

    /// Ends the process at once, as SIGKILL does: no code of it runs any more, and the kernel closes
    /// its sockets. Its tasks resume once more when the world closes, cancelled, to be freed: read
    /// results before. No effect unless it runs.
    public func kill() {
        world.checkThread()
        guard let process else { return }
        world.record("kill", index) { [name] in "\(name): kill" }
        abandon(process)
        disk.kill()
        kernel.closeAll { $0.close() }
    }

    /// Ends the process as a loss of power does: besides, its peers learn nothing until `start`.
    public func losePower() {
        world.checkThread()
        guard let process else { return }
        world.record("power", index) { [name] in "\(name): loses its power" }
        abandon(process)
        disk.losePower(using: &diskRandom)
        isPowered = false
        kernel.closeAll { $0.vanish() }
    }

    /// How many connections a server on this port has.
    public func connectionCount(port: UInt16) -> Int { kernel.connections(acceptedOn: port).count }

    /// Breaks all connections of this host, as a firewall does that has lost its state.
    public func resetConnections() {
        world.record("reset", index) { [name] in "\(name): all connections are reset" }
        for socket in kernel.openSockets { socket.breakConnection() }
    }

    /// Ends the process as SIGTERM does: cancels its tasks, lets its servers finish their calls, then
    /// closes its channels. It runs until nothing of it is left. No effect unless it runs.
    /// The world fails if that takes 2 virtual minutes.
    public func drain() {
        guard let process, process.ending == nil else { return }
        world.record("drain", index) { [name] in "\(name): drain" }
        process.beginEnding()
        continueDrain(of: process, since: world.now)
    }

    private func continueDrain(of process: HostProcess, since start: MonotonicTime) {
        guard process.isAlive, let left = process.continueEnding() else { return }
        if world.now - start > World.longestEnding {
            return world.violated(.leftover, "\(name) has not ended after its drain: \(left)")
        }
        world.schedule(after: .milliseconds(1)) { [self] in
            continueDrain(of: process, since: start)
        }
    }

    private func abandon(_ process: HostProcess) {
        process.isAlive = false
        deadProcesses.append(process)
        self.process = nil
        process.runKillHandlers()
    }

    /// Runs `body` on the world's thread when the present process is killed or loses its power, before
    /// the disk does: for what has to end with the process and is not built on its loops, like
    /// files that it has open. Traps unless it runs.
    public func onKill(_ body: @escaping () -> Void) { running.killHandlers.append(body) }

    /// Lets no loop of the host run for this long, as a machine that is overloaded or suspended.
    ///
    /// - Parameter duration: zero or more.
    public func pause(for duration: Duration) {
        precondition(duration >= .zero, "a pause is zero or longer: \(duration)")
        world.record("pause", index) { [name] in "\(name): pause of \(seconds(duration)) s" }
        pausedUntil = max(pausedUntil ?? world.now, world.now + duration)
    }

    func unpaused(_ time: MonotonicTime) -> MonotonicTime { max(time, pausedUntil ?? time) }

    /// Removes the process, which has ended by itself.
    func processEnded() {
        process?.release()
        process = nil
    }

    /// Frees the memory of processes that were killed.
    func freeDeadProcesses() {
        isFreeing = true
        for process in deadProcesses { process.free() }
        deadProcesses = []
        isFreeing = false
    }

    /// Sets the calendar forward or back, as NTP or an administrator does.
    public func stepCalendar(by duration: Duration) { hostTime.stepWall(by: duration) }

    // MARK: Tasks

    /// Runs `body` in a task on the host's loop. It ends unfinished if the process is killed, and is
    /// cancelled by `drain` and by `World.close`. An error that it throws fails the world, apart from
    /// those of a cancellation. Traps unless the process runs.
    public func run(_ body: @escaping @Sendable () async throws -> Void) {
        running.run(body)
    }

    /// Runs a server of the application in a task on the host's loop. It is not cancelled: it ends
    /// because of `stop`, which is called when the process is drained or the world closes.
    public func run(
        stoppedBy stop: @escaping @Sendable () -> Void,
        _ body: @escaping @Sendable () async throws -> Void
    ) {
        running.run(stoppedBy: stop, body)
    }

    /// Suspends the calling task for a virtual duration.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    public func sleep(for duration: Duration) async throws {
        if isFreeing { return try await sleepWhileFreed() }
        guard let process else {
            preconditionFailure("\(name): a task of a process that has ended runs")
        }
        try await VirtualSleep.sleep(for: duration, on: process.main.loop)
    }

    /// The first sleeps of tasks that are freed end at once. A task that sleeps again and again, though
    /// it is cancelled, stays suspended for ever: it can't be freed.
    private func sleepWhileFreed() async throws {
        sleepsWhileFreed += 1
        if sleepsWhileFreed > Self.mostSleepsWhileFreed {
            // SAFETY: it is never resumed, on purpose.
            unsafe await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        }
        throw CancellationError()
    }

    /// Starts what drives the loops of a server: for `ServerRuntimeConfiguration.makeThread`.
    @_spi(Simulation)
    public var makeThread: MakeLoopThread {
        let process = running
        return { [name = self.name] loop, configuration, _ throws(SystemError) in
            try process.makeLoop("\(name) \(loop)", configuration)
        }
    }
}
