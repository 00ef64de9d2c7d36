public import RocketBase
public import RocketSystem
public import Synchronization

// SAFETY: the reactor is touched only by the thread whose token is `owner`, which every access
// checks; everything else is immutable or synchronised by itself.

/// Sendable handle to an event loop, which one thread drives at a time: its executor, and the only way to
/// submit work from other threads.
///
/// Owned by its creator (`IOThread`, or a `main` that calls `run`). What is bound to the loop's
/// thread is in its `Reactor`. All members may be used from any thread, unless they say otherwise.
public final class EventLoop: @unchecked Sendable {
    /// The name of the loop in logs, and of its thread.
    public let name: String
    let configuration: EventLoopConfiguration
    /// The clock of the loop, for what has to agree with it. Any thread.
    public let time: any TimeSource
    let logger: RocketLogger
    let inbox = TaskInbox()
    let wakeup: Wakeup
    let counters = PublishedCounters()
    /// What it is made of in a simulation; nil: the kernel's epoll and sockets.
    let simulated: SimulatedKernel?
    let isStopping = Atomic(false)
    // Written once, by the thread that drives the loop, and read by it alone.
    private(set) var hasEnded = false
    /// Held by a thread that drives the loop by `runInCaller`.
    let caller = Locked(())
    /// `SystemThread.currentToken` of the thread that drives the loop; 0 when there is none.
    @usableFromInline let owner = Atomic<UInt>(0)
    /// Connections as counted by `connectionOpened` and `connectionClosed`.
    private let connections = Atomic<Int>(0)
    // Set once, in init, after self exists.
    private var ownReactor: Reactor?

    /// Creates a loop that no thread drives yet. It accepts tasks at once.
    ///
    /// - Parameters:
    ///   - name: for logs; the kernel shows the first 15 bytes as the name of the thread.
    ///   - time: the clock; a manual one in tests.
    ///   - random: the generator behind `Reactor.random`; a seeded one in tests and simulations.
    ///   - logger: receives a warning for each slow callback.
    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public convenience init(
        name: String, configuration: EventLoopConfiguration = EventLoopConfiguration(),
        time: any TimeSource = SystemTimeSource(),
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        logger: RocketLogger = .disabled
    ) throws(SystemError) {
        try self.init(
            name: name, configuration: configuration, time: time, random: random, logger: logger,
            simulated: nil)
    }

    /// Creates a loop of a simulation, which drives it by `beginTick` and `finishTick`.
    ///
    /// - Parameter simulated: nil: as the public initialiser.
    @_spi(Simulation)
    public init(
        name: String, configuration: EventLoopConfiguration, time: any TimeSource,
        random: any RandomNumberGenerator & Sendable, logger: RocketLogger,
        simulated: SimulatedKernel?
    ) throws(SystemError) {
        self.name = name
        self.configuration = configuration
        self.time = time
        self.logger = logger
        self.simulated = simulated
        let poller: Poller
        if let simulated {
            wakeup = Wakeup(simulated.poller)
            poller = Poller(simulated.poller)
        } else {
            wakeup = try Wakeup()
            poller = try Poller(eventsPerWait: configuration.eventsPerTick)
        }
        let reactor = Reactor(
            loop: self, poller: poller, now: time.monotonic(), random: LoopRandom(random))
        ownReactor = reactor
        try wakeup.register(on: reactor)
    }

    deinit { ownReactor?.tearDown() }

    /// True on the thread that drives the loop. Costs a load and a comparison.
    @inlinable
    public var isInLoop: Bool { owner.load(ordering: .relaxed) == SystemThread.currentToken }

    /// What the loop has done so far, as of its last tick.
    public var statistics: LoopCounters { counters.read() }

    /// When the loop last made progress, for comparison with the clock by a watchdog.
    public var lastProgress: LoopProgress { counters.lastProgress }

    /// The loop as a target of a watchdog. Its answer is a task of the loop, so none comes while a
    /// callback blocks it. A loop that has ended does not count as stuck.
    public var watchdogTarget: WatchdogTarget {
        WatchdogTarget(name: name) { [weak self] answer in
            if self?.execute({ _ in answer() }) != true { answer() }
        }
    }
}

// MARK: - Driving

extension EventLoop {
    /// Makes the calling thread the one that drives the loop. Required before ticks are driven by
    /// hand; `run` does it by itself. Traps while another thread drives the loop.
    public func claim() {
        let token = SystemThread.currentToken
        let (done, earlier) = owner.compareExchange(
            expected: 0, desired: token, ordering: .acquiring)
        precondition(done || earlier == token, "a loop is driven by one thread")
    }

    func claimIfFree() -> Bool {
        owner.compareExchange(
            expected: 0, desired: SystemThread.currentToken, ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// Ends what `claim` began, so that another thread may drive the loop.
    public func release() {
        precondition(isInLoop, "a loop is released by the thread that drives it")
        owner.store(0, ordering: .sequentiallyConsistent)
    }

    /// Runs one round of the loop: wait, wakeup, I/O, expired timers, one batch of tasks, tick
    /// ends. Only on the thread that drives the loop, and not from inside a callback.
    ///
    /// - Parameter limit: the longest wait for an event; there is no wait when work is queued.
    @discardableResult
    public func tick(waitingAtMost limit: Duration) -> TickResult {
        reactor.tick(waitingAtMost: max(0, limit.wholeNanoseconds))
    }

    /// Passes the loop's reactor to `body`. Traps on any thread but the one that drives the loop.
    @discardableResult
    public func withReactor<R>(_ body: (Reactor) throws -> R) rethrows -> R {
        try body(reactor)
    }

    /// Drives the loop on the calling thread until `stop`. Then runs the tasks that were accepted
    /// before, notifies every `LoopEndHandler`, releases all handlers and timers, and returns.
    /// Once per loop.
    public func run() {
        claim()
        let reactor = self.reactor
        while !isStopping.load(ordering: .relaxed) { _ = reactor.tick(waitingAtMost: -1) }
        finishRun()
    }

    func finishRun() {
        finish()
        release()
        runLateJobs()
    }

    /// Requests that `run` returns. Any thread, also before `run`.
    public func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        // An empty task wakes the loop, also one that is about to sleep.
        execute { _ in }
    }

    var reactor: Reactor {
        precondition(isInLoop, "a reactor is used on its loop's thread only")
        guard let ownReactor else { preconditionFailure("a loop has its reactor from init on") }
        return ownReactor
    }
}

// MARK: - Tasks

/// The outcome of offering a task to a loop.
public enum TaskAdmission: Sendable {
    /// The task will run.
    case accepted
    /// `taskLimit` tasks wait already: the task will not run.
    case full
    /// The loop has ended: the task will not run.
    case ended
}

extension EventLoop {
    /// Runs `task` on the loop's thread, later: never inline, also when called on that thread.
    /// Tasks of one sender run in the order in which they were sent.
    ///
    /// For work that must be done before the loop ends: to end, release or answer something, or to
    /// continue what was counted where it began. `taskLimit` does not apply. New work from outside
    /// goes through `offer`.
    ///
    /// - Returns: false when the loop has ended and the task will not run; every accepted task
    ///   runs.
    @discardableResult
    public func execute(_ task: @escaping @Sendable (Reactor) -> Void) -> Bool {
        send(.closure(task), isJob: false)
    }

    /// Runs `task` as `execute` does, unless `taskLimit` tasks wait. For new work whose rate the
    /// loop does not control. Tasks that the loop has sent itself count from its next tick on. The
    /// caller of a refused task drops it, reports it, or tries again later.
    public func offer(_ task: @escaping @Sendable (Reactor) -> Void) -> TaskAdmission {
        let limit = max(1, configuration.taskLimit)
        if isInLoop, !hasEnded, let ownReactor {
            if unsafe ownReactor.tasks.count >= limit { return refuse() }
            unsafe ownReactor.tasks.append(.closure(task))
            return .accepted
        }
        switch inbox.append(.closure(task), isJob: false, limit: limit) {
        case .queued: wakeup.wakeIfAsleep()
        case .queuedAfterEnd, .refused: return .ended
        case .full: return refuse()
        }
        return .accepted
    }

    private func refuse() -> TaskAdmission {
        counters.countRefusal()
        return .full
    }

    func send(_ task: consuming sending LoopTask, isJob: Bool) -> Bool {
        if isInLoop, !hasEnded, let ownReactor {
            unsafe ownReactor.tasks.append(task)
            return true
        }
        switch inbox.append(task, isJob: isJob) {
        case .queued: wakeup.wakeIfAsleep()
        case .queuedAfterEnd: configuration.runAfterEnd { self.runLateJobs() }
        case .refused, .full: return false
        }
        return true
    }
}

// MARK: - The end

extension EventLoop {
    /// Runs what is queued after `stop`, notifies the loop-end handlers, runs what these have
    /// queued, and tears the reactor down.
    private func finish() {
        let reactor = self.reactor
        reactor.runAccepted()
        reactor.notifyLoopEnd()
        reactor.runAccepted()
        // From now on senders are refused.
        inbox.end()
        hasEnded = true
        reactor.runRemaining()
        // The last tasks may have opened something.
        reactor.notifyLoopEnd()
        reactor.runRemaining()
        reactor.tearDown()
    }

    /// Runs jobs that arrived after the end of the loop.
    ///
    /// An actor may outlive the loop that it is pinned to, and a task the loop that it prefers.
    /// Refusing their jobs would suspend a task for ever, so they run one after another on any
    /// thread that can claim the loop.
    func runLateJobs() {
        while !inbox.isEmpty, claimIfFree() {
            reactor.runRemaining()
            release()
        }
    }

    /// The bound on rounds for tasks that send further tasks while the loop ends.
    fileprivate static var roundsAtEnd: Int { 64 }
}

extension Reactor {
    /// Runs the tasks that other threads have sent until now, and what these and the tick ends queue
    /// on the loop, for a bounded number of rounds.
    ///
    /// What other threads send meanwhile is not taken: while they send faster than the loop runs,
    /// each round would have more to do than the one before.
    fileprivate func runAccepted() {
        takeTasks()
        for _ in 0..<EventLoop.roundsAtEnd where unsafe !tasks.isEmpty || !tickEnds.isEmpty {
            var left = unsafe tasks.count
            while left > 0, let task = unsafe tasks.popFirst() {
                perform(task)
                left -= 1
            }
            runTickEnds()
        }
    }

    /// Runs all tasks and tick ends, and those that they queue, for a bounded number of rounds.
    fileprivate func runRemaining() {
        for _ in 0..<EventLoop.roundsAtEnd where hasWork {
            takeTasks()
            while let task = unsafe tasks.popFirst() { perform(task) }
            runTickEnds()
        }
    }
}

// MARK: - Connections

extension EventLoop {
    /// Connections of this loop, as its users have counted them. Any thread.
    public var connectionCount: Int { connections.load(ordering: .relaxed) }

    /// Counts one connection more: when it is assigned to this loop, before it arrives there. Any
    /// thread.
    public func connectionOpened() { connections.wrappingAdd(1, ordering: .relaxed) }

    /// Counts one connection less. Any thread.
    public func connectionClosed() { connections.wrappingSubtract(1, ordering: .relaxed) }
}
