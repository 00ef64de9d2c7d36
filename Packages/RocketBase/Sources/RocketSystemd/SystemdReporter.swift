public import RocketBase
public import RocketSystem

/// Informs the service manager throughout the life of the process: readiness, a status each second,
/// reloads, the drain, and the watchdog, which is notified only while all targets acknowledge.
///
/// One per process, created by the wiring in `main`. It has its own thread from `ready` to `end`,
/// so that a stuck event loop or a busy task pool can't delay it. Any thread may call.
public final class SystemdReporter: Sendable {
    private struct State {
        var schedule: NotifySchedule?
        var status: (@Sendable () -> String)?
        var conditions: [@Sendable () -> String?] = []
        var thread: SystemThread?
        var isReadyHeld = false
        var isStopping = false
        var isReloading = false
        var hasEnded = false
    }

    private let notifier: SystemdNotifier
    private let logger: RocketLogger
    private let time: any TimeSource
    private let round = WatchdogRound()
    private let state = Locked(State())
    /// Changes when the thread has to check the state again.
    private let wakeup = FutexWord()

    /// - Parameter logger: receives an ERROR with the names of the targets that keep WATCHDOG=1
    ///   from being sent.
    public init(
        _ notifier: SystemdNotifier, logger: RocketLogger = .disabled,
        time: any TimeSource = SystemTimeSource()
    ) {
        self.notifier = notifier
        self.logger = logger
        self.time = time
    }

    /// Returns a reporter according to the environment; nil when no service manager listens
    /// (NOTIFY_SOCKET is not set).
    public static func fromEnvironment(logger: RocketLogger = .disabled) -> SystemdReporter? {
        SystemdNotifier.fromEnvironment().map { SystemdReporter($0, logger: logger) }
    }

    /// Adds a watchdog target: from the next round on WATCHDOG=1 is sent only when it has
    /// acknowledged.
    public func watch(_ target: WatchdogTarget) { round.add(target) }

    /// Sets the function that returns the status text (STATUS=). It runs on the reporter's thread,
    /// once a second.
    public func describe(by status: @escaping @Sendable () -> String) {
        state.withLock { $0.status = status }
    }

    /// Adds a condition of the program to the status text: while the function returns a text, the
    /// status begins with it. It runs on the reporter's thread, once a second.
    public func addCondition(_ condition: @escaping @Sendable () -> String?) {
        state.withLock { $0.conditions.append(condition) }
    }

    /// From now on `ready` has an effect only with `endsHold`: for a program with more parts than the
    /// server, which reports its own listeners.
    public func holdReady() { state.withLock { $0.isReadyHeld = true } }

    /// Reports that the service is ready: all listeners are bound and all parts run. Later calls
    /// have no effect.
    public func ready(endsHold: Bool = false) {
        let now = time.monotonic()
        let isFirst = state.withLock { state -> Bool in
            if endsHold { state.isReadyHeld = false }
            guard !state.isReadyHeld, state.schedule == nil, !state.isStopping, !state.hasEnded
            else { return false }
            state.schedule = NotifySchedule(watchdogTimeout: notifier.watchdogTimeout, now: now)
            return true
        }
        guard isFirst else { return }
        notifier.ready(status: currentStatus ?? "serving")
        if notifier.watchdogTimeout != nil { round.start() }
        do {
            let thread = try SystemThread(name: "rocket-systemd") { self.run() }
            let isLate = state.withLock { state -> Bool in
                if !state.hasEnded { state.thread = thread }
                return state.hasEnded
            }
            if isLate { thread.join() }
        } catch {
            logger.error("can't start the thread that reports to systemd") {
                $0.add("error", error)
            }
        }
    }

    /// Reports that a reload of the configuration has begun. No effect while the service starts or
    /// stops.
    public func reloading() {
        let now = time.monotonic()
        state.withLock { state in
            guard state.schedule != nil, !state.isStopping, !state.isReloading else { return }
            state.isReloading = true
            notifier.reloading(at: now)
        }
    }

    /// Reports that the reload has ended, with or without success: the service is ready.
    public func reloaded() {
        state.withLock { state in
            guard state.isReloading else { return }
            state.isReloading = false
            if !state.isStopping { notifier.ready() }
        }
    }

    /// Reports that the service stops and requests up to `limit` for it. Later calls have no
    /// effect.
    public func stopping(within limit: Duration) {
        let now = time.monotonic()
        state.withLock { state in
            guard !state.isStopping else { return }
            state.isStopping = true
            notifier.stopping(status: "draining")
            if case .extendTimeout(let more)? = state.schedule?.stop(within: limit, now: now) {
                notifier.extendTimeout(by: more)
            }
        }
    }

    /// Ends all reports; call it last, before the process exits. Blocks until the reporter's thread
    /// has ended, so it must not be called on that thread.
    public func end() {
        let thread = state.withLock { state in
            state.hasEnded = true
            defer { state.thread = nil }
            return state.thread
        }
        wakeup.increment()
        wakeup.wakeAll()
        thread?.join()
    }

    private var currentStatus: String? {
        let (status, conditions, isStopping) = state.withLock {
            ($0.status, $0.conditions, $0.isStopping)
        }
        var parts = conditions.compactMap { $0() }
        if let status { parts.append((isStopping ? "draining, " : "") + status()) }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    private func run() {
        ThreadSignals.blockAllButCrashes()
        while true {
            let seen = wakeup.value
            let now = time.monotonic()
            let stuck = round.unacknowledged
            let next = state.withLock { state -> ([NotifySchedule.Action], Duration)? in
                guard !state.hasEnded, state.schedule != nil else { return nil }
                let due = state.schedule?.due(at: now, allAcknowledged: stuck.isEmpty) ?? []
                return (due, state.schedule?.wait(at: now) ?? .zero)
            }
            guard let (actions, wait) = next else { return }
            for action in actions { perform(action, stuck) }
            wakeup.wait(while: seen, atMost: wait)
        }
    }

    private func perform(_ action: NotifySchedule.Action, _ stuck: [String]) {
        switch action {
        case .sendStatus: if let text = currentStatus { notifier.status(text) }
        case .keepAlive:
            notifier.keepAlive()
            round.start()
        case .reportStuck:
            logger.error("stuck: the watchdog is not notified") {
                $0.add("parts", stuck.joined(separator: ", "))
            }
        case .extendTimeout(let more): notifier.extendTimeout(by: more)
        }
    }
}
