/// The limits and habits of one event loop.
public struct EventLoopConfiguration: Sendable {
    /// The most tasks (closures and executor jobs) run in one tick, so that I/O and timers get
    /// their turn. 1 or more; default 1024.
    public var tasksPerTick = 1024
    /// Tasks that may wait before `offer` refuses further ones, and a warning is logged. 1 or more;
    /// default 65,536 (some megabytes of closures).
    public var taskLimit = 65_536
    /// The most timers fired in one tick; the rest come in the next, without waiting. 1 or more;
    /// default 4096.
    public var timersPerTick = 4096
    /// The most I/O events taken from the kernel in one tick. 1 or more; default 512.
    public var eventsPerTick = 512
    /// A callback that takes this long or longer is logged and reported; nil: none. Default 100 ms.
    public var slowCallback: Duration? = .milliseconds(100)
    /// Is told of each slow callback besides the log, on the loop's thread.
    public var onSlowCallback: (@Sendable (SlowCallback) -> Void)?

    /// The defaults.
    public init() {}
}

/// A callback that held the loop up.
public struct SlowCallback: Sendable {
    /// The loop's name.
    public let loop: String
    /// Where it was registered: the label of the registration or timer, or the kind of task.
    public let label: StaticString
    /// How long it took.
    public let duration: Duration
}
