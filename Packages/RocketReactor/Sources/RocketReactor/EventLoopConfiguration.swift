/// Limits and observation of one event loop. A value.
public struct EventLoopConfiguration: Sendable {
    /// The most tasks (closures and executor jobs) that run in one tick, so that I/O and timers get
    /// their turn. At least 1; default 1024.
    public var tasksPerTick = 1024
    /// The number of waiting tasks from which on `offer` refuses further ones and a warning is
    /// logged. At least 1; default 65,536 (some megabytes of closures).
    public var taskLimit = 65_536
    /// The most timers that fire in one tick; the rest fire in the next, which does not wait. At
    /// least 1; default 4096.
    public var timersPerTick = 4096
    /// The most I/O events taken from the kernel in one tick. At least 1; default 512.
    public var eventsPerTick = 512
    /// A callback that takes at least this long is logged and reported; nil: none. Default 100 ms.
    public var slowCallback: Duration? = .milliseconds(100)
    /// How long the loop looks for events again and again before it sleeps, if its last wait was no
    /// longer than this; its thread uses its core meanwhile. It saves the time that a core needs to
    /// wake up, where each event follows soon on the one before. At most 1 ms; 0: it sleeps at once.
    /// Default 0.
    public var busyWait = Duration.zero
    /// Whether another thread may drive the loop for one task while the loop's own sleeps, by
    /// `EventLoop.runInCaller`. Default false.
    public var runsInCallers = false
    /// Called for each slow callback, besides the log, on the loop's thread. Default nil.
    public var onSlowCallback: (@Sendable (SlowCallback) -> Void)?

    /// Runs what arrives after the end of the loop: jobs of actors and tasks that outlive it. Must
    /// not run it inside of the call. A simulation runs it on its own thread. Default: a thread of
    /// Swift's global pool.
    @_spi(Simulation) public var runAfterEnd: @Sendable (@escaping @Sendable () -> Void) -> Void = {
        body in
        // determinism: no thread drives a loop that has ended, so any one must do
        Task.detached { body() }
    }

    /// Creates the defaults.
    public init() {}
}

/// A callback that blocked its loop for too long.
public struct SlowCallback: Sendable {
    /// The loop's name.
    public let loop: String
    /// The label of the registration or timer, or the kind of task.
    public let label: StaticString
    /// How long the callback took.
    public let duration: Duration
}
