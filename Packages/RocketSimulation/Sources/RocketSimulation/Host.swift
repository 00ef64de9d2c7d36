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
    public var socketLimits = SocketLimits()
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
    private(set) lazy var kernel = HostKernel(of: self)

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

    /// The loop of its process on which `run` starts tasks: for channels. Traps unless it runs.
    public var loop: EventLoop { running.main.loop }

    private var running: HostProcess {
        guard let process else { preconditionFailure("\(name): its process does not run") }
        return process
    }

    // MARK: The process

    /// Starts the process, unless it runs: makes its first loop and runs the boot closure.
    ///
    /// - Throws: what the boot closure throws.
    public func start() throws {
        if process != nil { return }
        isPowered = true
        starts += 1
        let process = try HostProcess(on: self, number: starts)
        self.process = process
        world.record("start", index) { [name] in "\(name): start" }
        try boot(self)
    }

    /// Ends the process at once, as SIGKILL does: no code of it runs any more, and the kernel closes
    /// its sockets. No effect unless it runs.
    public func kill() {
        guard let process else { return }
        world.record("kill", index) { [name] in "\(name): kill" }
        abandon(process)
        kernel.closeAll { $0.close() }
    }

    /// Ends the process as a loss of power does: besides, its peers learn nothing until `start`.
    public func losePower() {
        guard let process else { return }
        world.record("power", index) { [name] in "\(name): loses its power" }
        abandon(process)
        isPowered = false
        kernel.closeAll { $0.vanish() }
    }

    /// Breaks all connections of this host, as a firewall does that has lost its state.
    public func resetConnections() {
        world.record("reset", index) { [name] in "\(name): all connections are reset" }
        for socket in kernel.openSockets { socket.breakConnection() }
    }

    private func abandon(_ process: HostProcess) {
        process.isAlive = false
        deadProcesses.append(process)
        self.process = nil
    }

    /// Lets no loop of the host run for this long, as a machine that is overloaded or suspended.
    public func pause(for duration: Duration) {
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

    /// Runs `body` in a task on the host's loop. It ends unfinished if the process is killed. An
    /// error that it throws fails the world.
    public func run(_ body: @escaping @Sendable () async throws -> Void) {
        running.run(body)
    }

    /// Runs a service of the process in a task on the host's loop, as `run` does. `World.close` ends
    /// it by `beginClose`, not by cancelling the task.
    ///
    /// - Parameter beginClose: begins to end what `body` runs. Called once at most, on the world's
    ///   thread.
    public func runService(
        _ body: @escaping @Sendable () async throws -> Void,
        beginClose: @escaping @Sendable () -> Void
    ) {
        let process = running
        process.closables.append(beginClose)
        process.run(isService: true, body)
    }

    /// Suspends the calling task for a virtual duration.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    public func sleep(for duration: Duration) async throws {
        guard !isFreeing, let process else { throw CancellationError() }
        try await VirtualSleep.sleep(for: duration, on: process.main.loop)
    }

    /// Starts what drives the loops of a server: for `ServerRuntimeConfiguration.makeThread`.
    @_spi(Simulation)
    public var makeThread: MakeLoopThread {
        let process = running
        return { name, configuration, _ throws(SystemError) in
            try process.makeLoop(name, configuration)
        }
    }
}
