import RocketReactor
import RocketSystem

/// Runs handlers without a task per call.
///
/// A *driver* is a long-lived async function on the loop. It takes the next frame and awaits its
/// handler inline; a handler that does not suspend costs a function call. When a handler suspends,
/// its driver stays with it, control returns to the loop, and another driver goes on with the next
/// frame; so a slow call holds nobody up. Idle drivers are parked and reused.
///
/// Bound to its loop. At most one driver is *active*: takes frames. See docs/decisions/0004.
final class CallDrivers: TickEndHandler {
    private unowned let reactor: Reactor
    private let executor: LoopActor
    /// Connections with input that nobody has looked at yet, and a cursor over them.
    private var ready: [ServerConnection] = []
    private var nextReady = 0
    private var parked: [CallDriver] = []
    /// The driver that takes frames; when the loop has control, its handler is suspended.
    private var active: CallDriver?
    private var suspended: [ObjectIdentifier: CallDriver] = [:]
    /// Of the calls whose handlers are suspended; others are over before a deadline can pass.
    private var deadlines = TimerQueue<CallDriver>()
    private var deadlineTimer: EarliestTimer?
    private let limits: ServerLimits
    private var isWaking = false
    private var isEnrolled = false
    private var isStopped = false

    init(reactor: Reactor, limits: ServerLimits) {
        self.reactor = reactor
        self.limits = limits
        executor = LoopActor(loop: reactor.loop)
        deadlineTimer = EarliestTimer(on: reactor, label: "handler deadline") {
            [unowned self] in expire()
        }
    }

    /// Notes that `connection` has input; a driver looks at it within this tick.
    func enqueue(_ connection: ServerConnection) {
        ready.append(connection)
        wake()
    }

    /// Gives up the calls of a connection that is gone: their tasks are cancelled.
    func abandonCalls(of connection: ServerConnection) {
        noteSuspension()
        for driver in suspended.values where driver.call?.connection === connection {
            driver.cancelCall()
        }
    }

    /// Ends all drivers: parked ones at once, others when their handlers return.
    func stop() {
        noteSuspension()
        isStopped = true
        for driver in suspended.values { driver.cancelCall() }
        for driver in parked { driver.resume() }
        parked.removeAll()
    }

    // MARK: Waking

    private func wake() {
        guard !isEnrolled else { return }
        isEnrolled = true
        if !isWaking { startDriver() }
        reactor.enrolForTickEnd(self)
    }

    /// When the loop has control again, an active driver must be waiting for its handler.
    func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        noteSuspension()
        if hasReady { wake() }
    }

    private func startDriver() {
        isWaking = true
        if let driver = parked.popLast() { return driver.resume() }
        let drivers = LoopBound(self, on: reactor)
        let driver = CallDriver()
        let bound = LoopBound(driver, on: reactor)
        let executor = executor
        driver.task = Task(executorPreference: reactor.loop) {
            await executor.drive(drivers, bound)
        }
    }

    // MARK: Driving

    fileprivate func drive(_ driver: CallDriver) async {
        while !driver.isRetired, !isStopped {
            activate(driver)
            while let connection = takeReady() {
                let call = driver.begin(connection)
                let served = await connection.serveNext(call)
                if noteReturn(driver) {
                    if driver.isRetired { return }
                    activate(driver)
                } else if !served {
                    finishReady(connection)
                }
            }
            active = nil
            await park(driver)
        }
    }

    private func activate(_ driver: CallDriver) {
        noteSuspension()
        isWaking = false
        active = driver
    }

    /// The active driver, if there is one, waits for its handler: another one may take frames.
    private func noteSuspension() {
        guard let driver = active else { return }
        suspended[ObjectIdentifier(driver)] = driver
        limits.callSuspended()
        if let deadline = driver.call?.deadline {
            driver.deadline = deadlines.insert(at: deadline, driver)
            deadlineTimer?.expect(deadlines.earliest)
        }
        active = nil
    }

    /// A driver's handler is done.
    ///
    /// - Returns: whether it had been suspended, and so another driver may be active.
    private func noteReturn(_ driver: CallDriver) -> Bool {
        guard suspended.removeValue(forKey: ObjectIdentifier(driver)) != nil else { return false }
        limits.callResumed()
        if let deadline = driver.deadline { _ = deadlines.remove(deadline) }
        driver.deadline = nil
        return true
    }

    private func expire() {
        while let (_, driver) = deadlines.popExpired(now: reactor.now) {
            driver.deadline = nil
            driver.call?.fail(
                RPCError(.callTimeout, "the deadline passed while the handler ran"))
            driver.cancelCall()
        }
        deadlineTimer?.expect(deadlines.earliest)
    }

    private func park(_ driver: CallDriver) async {
        guard !isStopped else { return }
        await unsafe withUnsafeContinuation { continuation in
            unsafe driver.continuation = continuation
            parked.append(driver)
        }
    }

    // MARK: The ready connections

    private var hasReady: Bool { nextReady < ready.count }

    private func takeReady() -> ServerConnection? {
        hasReady ? ready[nextReady] : nil
    }

    /// `connection` has no whole frame left.
    private func finishReady(_ connection: ServerConnection) {
        guard hasReady, ready[nextReady] === connection else { return }
        nextReady += 1
        if !hasReady {
            ready.removeAll(keepingCapacity: true)
            nextReady = 0
        }
    }
}

/// A long-lived async function that runs handlers, and the call that it runs now.
// SAFETY: the continuation is resumed once: `resume` takes it away first.
@safe final class CallDriver {
    fileprivate var task: Task<Void, Never>?
    fileprivate var continuation: UnsafeContinuation<Void, Never>?
    fileprivate private(set) var call: ServerCall?
    /// Its place among the deadlines while its handler is suspended.
    fileprivate var deadline: TimerID?
    /// Its task was cancelled with a call: it takes no other one.
    fileprivate private(set) var isRetired = false

    fileprivate func begin(_ connection: ServerConnection) -> ServerCall {
        if let call { return call }
        let call = ServerCall(connection: connection)
        self.call = call
        return call
    }

    fileprivate func resume() {
        guard let waiting = unsafe continuation else { return }
        unsafe continuation = nil
        unsafe waiting.resume()
    }

    fileprivate func cancelCall() {
        call?.abandon()
        isRetired = true
        task?.cancel()
    }
}

/// Gives drivers the loop as their executor.
private actor LoopActor {
    private nonisolated let loop: EventLoop

    init(loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // SAFETY: the actor holds the loop, so the reference lives as long as the actor.
        unsafe loop.asUnownedSerialExecutor()
    }

    func drive(_ drivers: LoopBound<CallDrivers>, _ driver: LoopBound<CallDriver>) async {
        await drivers.get().drive(driver.get())
    }
}
