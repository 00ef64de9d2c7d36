import RocketReactor

/// Decides which handler task takes frames, and when tasks are started, suspended, parked and
/// ended. A pure value: an event goes in, what to do comes out.
///
/// At most one task is *active*: it takes frames and awaits their handlers inline. Whether its
/// handler has suspended is seen from outside only: when the loop's tick ends, or another task runs
/// on the loop, an active task that is not running must be waiting for its handler.
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
        /// A connection has input that nobody has looked at.
        case inputReady
        /// A task runs, and is about to take frames: one that was started or resumed, or one whose
        /// handler was suspended and has returned.
        case taskRuns
        /// The handler of the active task is to count as suspended at once.
        case activeSuspended
        /// The active task has found no frame.
        case outOfWork
        /// The active task ends.
        /// - hasReady: a connection has input that nobody has looked at.
        case taskEnded(hasReady: Bool)
        /// The tick ends.
        /// - hasReady: a connection has input that nobody has looked at.
        case tickEnded(hasReady: Bool)
        case stop
    }

    struct Actions: OptionSet, Hashable {
        let rawValue: UInt8
        /// Start a task, or resume a parked one: it takes frames.
        static let startTask = Actions(rawValue: 1)
        /// The handler of the task that was active is suspended.
        static let suspendActive = Actions(rawValue: 2)
        /// Report the end of this tick.
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
    /// A task is active. Apart from `phase` for the one that is left when the scheduler stops.
    private(set) var hasActive = false
    private(set) var parked = 0
    /// The fewest tasks that were parked since `trim` was called last.
    private var fewestParked = 0

    /// Whether tasks that have no work are kept.
    private let parks: Bool

    /// So many parked tasks are kept for good.
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

    /// A parked task was resumed in place of starting one.
    mutating func resumedParked() {
        parked -= 1
        fewestParked = min(fewestParked, parked)
    }

    /// How many parked tasks end, now that some time has passed: those that were never needed
    /// since the last time, all but a few.
    mutating func trim() -> Int {
        let unused = min(fewestParked, max(0, parked - Self.keptParked))
        parked -= unused
        fewestParked = parked
        return unused
    }

    /// Whether `trim` may have something to end later.
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
