public import RocketBase
public import RocketSystem

/// Keeps the service manager informed for the life of the process: ready, a status each second,
/// reloads, the drain, and the watchdog, which hears only from a process whose every part moves.
///
/// One per process; whoever wires the program makes it. It has a thread of its own from `ready`
/// to `end`, so that neither a stuck loop nor a busy pool of tasks speaks for the others. Any
/// thread may call.
public final class SystemdReporter: Sendable {
    private struct State {
        var duties: NotifySchedule?
        var status: (@Sendable () -> String)?
        var thread: SystemThread?
        var isStopping = false
        var isReloading = false
        var hasEnded = false
    }

    private let notifier: SystemdNotifier
    private let logger: RocketLogger
    private let time: any TimeSource
    private let watch = WatchdogRound()
    private let state = Locked(State())
    /// Changes when the thread has to look again.
    private let wakeup = FutexWord()

    /// - Parameter logger: gets an ERROR naming the parts that keep WATCHDOG=1 back.
    public init(
        _ notifier: SystemdNotifier, logger: RocketLogger = .disabled,
        time: any TimeSource = SystemTimeSource()
    ) {
        self.notifier = notifier
        self.logger = logger
        self.time = time
    }

    /// Nil when no service manager listens to this process (NOTIFY_SOCKET is not set).
    public static func fromEnvironment(logger: RocketLogger = .disabled) -> SystemdReporter? {
        SystemdNotifier.fromEnvironment().map { SystemdReporter($0, logger: logger) }
    }

    /// From the next beat on the watchdog hears of the process only when this part moved, too.
    public func watch(_ part: WatchdogTarget) { watch.add(part) }

    /// What STATUS= says; called once a second on the reporter's thread.
    public func describe(by status: @escaping @Sendable () -> String) {
        state.withLock { $0.status = status }
    }

    /// Tells that the service is up: all listeners are bound and everything runs. Once; later
    /// calls do nothing.
    public func ready() {
        let now = time.monotonic()
        let isFirst = state.withLock { state -> Bool in
            guard state.duties == nil, !state.isStopping, !state.hasEnded else { return false }
            state.duties = NotifySchedule(watchdogTimeout: notifier.watchdogTimeout, now: now)
            return true
        }
        guard isFirst else { return }
        notifier.ready(status: currentStatus ?? "serving")
        if notifier.watchdogTimeout != nil { watch.ask() }
        do {
            let thread = try SystemThread(name: "rocket-systemd") { self.run() }
            let isLate = state.withLock { state -> Bool in
                if !state.hasEnded { state.thread = thread }
                return state.hasEnded
            }
            if isLate { thread.join() }
        } catch {
            logger.error("no thread to report to systemd") { $0.add("error", error) }
        }
    }

    /// A reload of the configuration begins. Says nothing while the service starts or stops.
    public func reloading() {
        let now = time.monotonic()
        state.withLock { state in
            guard state.duties != nil, !state.isStopping, !state.isReloading else { return }
            state.isReloading = true
            notifier.reloading(at: now)
        }
    }

    /// The reload is over, whether it went well or not: the service serves.
    public func reloaded() {
        state.withLock { state in
            guard state.isReloading else { return }
            state.isReloading = false
            if !state.isStopping { notifier.ready() }
        }
    }

    /// The service stops and may take `limit` for it; the manager is asked to wait that long.
    /// Only the first call counts.
    public func stopping(within limit: Duration) {
        let now = time.monotonic()
        state.withLock { state in
            guard !state.isStopping else { return }
            state.isStopping = true
            notifier.stopping(status: "draining")
            if case .extendTimeout(let more)? = state.duties?.stop(within: limit, now: now) {
                notifier.extendTimeout(by: more)
            }
        }
    }

    /// Says nothing from now on; the last thing before the process ends. Blocks until the thread
    /// has ended, so not from it.
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
        let (status, isStopping) = state.withLock { ($0.status, $0.isStopping) }
        return status.map { (isStopping ? "draining, " : "") + $0() }
    }

    private func run() {
        ThreadSignals.blockAllButCrashes()
        while true {
            let seen = wakeup.value
            let now = time.monotonic()
            let silent = watch.silent
            let next = state.withLock { state -> ([NotifySchedule.Duty], Duration)? in
                guard !state.hasEnded, state.duties != nil else { return nil }
                let due = state.duties?.due(at: now, allHaveAnswered: silent.isEmpty) ?? []
                return (due, state.duties?.wait(at: now) ?? .zero)
            }
            guard let (duties, wait) = next else { return }
            for duty in duties { perform(duty, silent) }
            wakeup.wait(while: seen, atMost: wait)
        }
    }

    private func perform(_ duty: NotifySchedule.Duty, _ silent: [String]) {
        switch duty {
        case .status: if let text = currentStatus { notifier.status(text) }
        case .keepAlive:
            notifier.keepAlive()
            watch.ask()
        case .complain:
            logger.error("stuck: no word to the watchdog") {
                $0.add("parts", silent.joined(separator: ", "))
            }
        case .extendTimeout(let more): notifier.extendTimeout(by: more)
        }
    }
}
