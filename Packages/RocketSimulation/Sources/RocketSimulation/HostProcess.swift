import RocketBase
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
    /// Tasks of `run` that have not ended.
    private(set) var taskCount = 0
    /// Those of them that are no services.
    private(set) var ordinaryTaskCount = 0
    private var tasks: [Task<Void, Never>] = []
    private var services: [Task<Void, Never>] = []
    /// Each begins to close something that has to end before the loops, in the order in which that
    /// was made.
    var closables: [@Sendable () -> Void] = []

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
        let made = HostLoop(of: self, index: loops.count)
        try made.start(name: name, configuration: configuration, logger: host.world.logger)
        loops.append(made)
        return made
    }

    /// Runs `body` on the main loop.
    ///
    /// - Parameter isService: whether it ends by what `closables` are asked for, and not because it
    ///   is cancelled.
    func run(isService: Bool = false, _ body: @escaping @Sendable () async throws -> Void) {
        taskCount += 1
        let task = Task(executorPreference: main.loop) {
            do { try await body() } catch is CancellationError {} catch { self.failed(error) }
            self.taskCount -= 1
            if !isService { self.ordinaryTaskCount -= 1 }
        }
        if isService { return services.append(task) }
        ordinaryTaskCount += 1
        tasks.append(task)
    }

    private func failed(_ error: any Error) {
        if isAlive { host.world.violated(.task, "\(host.name): a task failed: \(error)") }
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
        // What a task does after its cancellation goes to and fro between the loops.
        for _ in 0..<Self.roundsToFree where taskCount > 0 {
            for loop in loops { loop.lastTick() }
        }
        for loop in loops { loop.discard() }
        release()
    }

    /// Releases what refers to this process and to which it refers. The last use of it.
    func release() {
        for loop in loops { loop.release() }
        loops = []
        closables = []
        tasks = []
        services = []
    }

    private static let roundsToFree = 100
}
