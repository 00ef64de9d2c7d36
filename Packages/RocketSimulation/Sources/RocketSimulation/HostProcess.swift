import RocketBase
import RocketRPC
@_spi(Simulation) import RocketReactor
import RocketSystem

// SAFETY: confined to the world's thread, which `World.schedule` checks.

/// One run of a host's process: its loops and its tasks. Bound to the world's thread.
final class HostProcess: @unchecked Sendable {
    let host: Host
    let number: UInt64
    /// Whether its code runs; false after a kill.
    var isAlive = true
    private(set) var loops: [HostLoop] = []
    /// How far it has ended in order; nil: it runs.
    var ending: ProcessEnding?
    /// Whether nothing of it is left, after it has ended in order.
    var hasEnded = false
    /// Tasks of `run` that have not ended.
    private(set) var taskCount = 0
    /// Those of them that are no services.
    private(set) var ordinaryTaskCount = 0
    private var tasks: [Task<Void, Never>] = []
    private var services: [Task<Void, Never>] = []
    /// Begin to end its services, in the order in which they were started.
    private(set) var stopServices: [() -> Void] = []
    /// Close its channels, once nothing runs that needs them.
    var closeChannels: [() -> Void] = []
    /// What its servers and channels are checked for.
    var rules: [any ProcessRules] = []
    /// Run once if it is killed.
    var killHandlers: [() -> Void] = []

    init(on host: Host, number: UInt64) throws {
        self.host = host
        self.number = number
        _ = try makeLoop("\(host.name)-task", EventLoopConfiguration())
    }

    /// The loop of its tasks and channels.
    var main: HostLoop { loops[0] }

    func makeLoop(
        _ name: String, _ configuration: EventLoopConfiguration
    ) throws(SystemError) -> HostLoop {
        let made = HostLoop(name, of: self, index: loops.count)
        try made.start(configuration, logger: host.world.logger)
        loops.append(made)
        return made
    }

    /// Runs `body` on the main loop.
    ///
    /// - Parameter stop: makes a service end, which is not cancelled; nil: it is none.
    func run(
        stoppedBy stop: (() -> Void)? = nil, _ body: @escaping @Sendable () async throws -> Void
    ) {
        let isService = stop != nil
        taskCount += 1
        let task = Task(executorPreference: main.loop) {
            do { try await body() } catch { self.failed(error) }
            self.taskCount -= 1
            if !isService { self.ordinaryTaskCount -= 1 }
        }
        if let stop {
            stopServices.append(stop)
            return services.append(task)
        }
        ordinaryTaskCount += 1
        tasks.append(task)
    }

    private func failed(_ error: any Error) {
        if error is CancellationError { return }
        if Task.isCancelled, (error as? RPCError)?.code == .cancelled { return }
        // A process whose disk has stopped is about to end.
        if isAlive, !host.disk.isStopped {
            host.world.violated(.task, "\(host.name): a task failed: \(error)")
        }
    }

    func runKillHandlers() {
        let handlers = killHandlers
        killHandlers = []
        for handler in handlers { handler() }
    }

    /// Cancels the tasks that are no services.
    func cancelTasks() {
        for task in tasks { task.cancel() }
        tasks = []
    }

    /// Frees what a killed process has left: its tasks resume and fail, unseen by the world.
    func free() {
        cancelTasks()
        for service in services { service.cancel() }
        // What a task does after its cancellation goes to and fro between the loops, and may wait for
        // a time-out.
        for _ in 0..<Self.minutesToFree where taskCount > 0 {
            for _ in 0..<Self.roundsToFree where taskCount > 0 {
                for loop in loops { loop.lastTick() }
            }
            if taskCount > 0 { host.world.time.advance(to: host.world.now + .seconds(60)) }
        }
        for loop in loops { loop.discard() }
        release()
    }

    /// Releases what refers to this process and to which it refers. The last use of it.
    func release() {
        for loop in loops { loop.release() }
        loops = []
        stopServices = []
        closeChannels = []
        rules = []
        killHandlers = []
        tasks = []
        services = []
    }

    private static let minutesToFree = 10
    private static let roundsToFree = 100
}
