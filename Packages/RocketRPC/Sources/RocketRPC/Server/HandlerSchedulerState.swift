import RocketReactor

/// Decides which handler task takes frames, and when tasks are started, suspended, parked and
/// ended. A pure value: `handle` maps an event to actions.
///
/// At most one task is *active*: it takes frames and awaits their handlers inline. Whether its
/// handler has suspended can only be inferred: when the loop's tick ends, or another task runs on
/// the loop, the active task is not running, so its handler must be suspended.
struct HandlerSchedulerState: Hashable {
    enum Phase: Hashable {
        /// No task is active, and no frame waits for one.
        case idle
        /// A task was started or resumed to take frames, and has not run yet.
        case starting
        /// A task takes frames, or its handler is suspended.
        case active
        /// Stopped: no further call begins.
        case stopped
    }

    enum Event: Hashable {
        /// A connection has unprocessed input.
        case inputReady
        /// A task is about to take frames: it was started or resumed, or its suspended handler has
        /// returned.
        case taskRuns
        /// The handler of the active task counts as suspended from now on.
        case activeSuspended
        /// The active task has found no frame.
        case outOfWork
        /// The active task ends.
        /// - hasReady: a connection has unprocessed input.
        case taskEnded(hasReady: Bool)
        /// The tick ends.
        /// - hasReady: a connection has unprocessed input.
        case tickEnded(hasReady: Bool)
        case stop
    }

    struct Actions: OptionSet, Hashable {
        let rawValue: UInt8
        /// Start a task, or resume a parked one, to take frames.
        static let startTask = Actions(rawValue: 1)
        /// The handler of the task that was active is suspended.
        static let suspendActive = Actions(rawValue: 2)
        /// Send `tickEnded` at the end of this tick.
        static let observeTickEnd = Actions(rawValue: 4)
        /// The task parks until it is resumed.
        static let park = Actions(rawValue: 8)
        /// The task ends.
        static let endTask = Actions(rawValue: 16)
        /// All parked tasks end, and all calls are cancelled.
        static let endAll = Actions(rawValue: 32)
    }

    private(set) var phase = Phase.idle
    private(set) var observesTickEnd = false
    /// Whether a task is active. Separate from `phase`, because an active task may remain when the
    /// scheduler has stopped.
    private(set) var hasActive = false
    private(set) var parked = 0
    /// The smallest number of parked tasks since the last call of `trim`.
    private var fewestParked = 0

    /// Whether idle tasks are parked.
    private let parks: Bool

    /// This number of parked tasks is never trimmed.
    static let keptParked = 4

    init(parks: Bool = true) { self.parks = parks }

    mutating func handle(_ event: Event) -> Actions {
        switch (phase, event) {
        case (.idle, .inputReady): return start()
        case (.starting, .inputReady), (.active, .inputReady): return observing()
        case (.stopped, .inputReady): return []

        case (.stopped, .taskRuns): return suspendingActive().union(.endTask)
        case (_, .taskRuns):
            let actions = suspendingActive()
            phase = .active
            hasActive = true
            return actions.union(observing())

        case (_, .activeSuspended): return suspendingActive()

        case (.stopped, .outOfWork):
            hasActive = false
            return .endTask
        case (_, .outOfWork):
            phase = .idle
            hasActive = false
            if !parks { return .endTask }
            parked += 1
            return .park

        case (.stopped, .taskEnded):
            hasActive = false
            return []
        case (_, .taskEnded(let hasReady)):
            phase = .idle
            hasActive = false
            return hasReady ? start() : []

        case (.stopped, .tickEnded):
            observesTickEnd = false
            return suspendingActive()
        case (.starting, .tickEnded):
            observesTickEnd = false
            return observing()
        case (_, .tickEnded(let hasReady)):
            observesTickEnd = false
            let actions = suspendingActive()
            phase = .idle
            return hasReady ? actions.union(start()) : actions

        case (.stopped, .stop): return []
        case (_, .stop):
            let actions = suspendingActive()
            phase = .stopped
            parked = 0
            fewestParked = 0
            return actions.union(.endAll)
        }
    }

    /// Records that a parked task was resumed in place of a new task.
    mutating func resumedParked() {
        parked -= 1
        fewestParked = min(fewestParked, parked)
    }

    /// Returns the number of parked tasks that have to end: those that were unused since the last
    /// call, except `keptParked`.
    mutating func trim() -> Int {
        let unused = min(fewestParked, max(0, parked - Self.keptParked))
        parked -= unused
        fewestParked = parked
        return unused
    }

    /// Whether a later `trim` may end tasks.
    var needsTrim: Bool { parked > Self.keptParked }

    private mutating func start() -> Actions {
        phase = .starting
        return observing().union(.startTask)
    }

    private mutating func observing() -> Actions {
        if observesTickEnd { return [] }
        observesTickEnd = true
        return .observeTickEnd
    }

    private mutating func suspendingActive() -> Actions {
        if !hasActive { return [] }
        hasActive = false
        return .suspendActive
    }
}
