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
final class HandlerScheduler: TickEndHandler {
    private unowned let reactor: Reactor
    private let executor: LoopActor
    private let dispatcher: RPCDispatcher
    /// All connections whose calls these drivers run.
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    /// Connections with input that nobody has looked at yet, and a cursor over them.
    private var ready: [ServerConnection] = []
    private var nextReady = 0
    private var parked: [HandlerTask] = []
    /// The driver that takes frames; when the loop has control, its handler is suspended.
    private var active: HandlerTask?
    /// Of the calls whose handlers are suspended; others are over before a deadline can pass.
    private var deadlines = TimerQueue<HandlerTask>()
    private var deadlineTimer: DeadlineTimer?
    /// For handlers that never suspend.
    private var spareCall: CallResponder?
    private var isWaking = false
    private var isEnrolled = false
    private var isStopped = false

    init(reactor: Reactor, dispatcher: RPCDispatcher) {
        self.reactor = reactor
        self.dispatcher = dispatcher
        executor = LoopActor(loop: reactor.loop)
        deadlineTimer = DeadlineTimer(on: reactor, label: "handler deadline") {
            [unowned self] in expire()
        }
    }

    /// The tick's time.
    var now: MonotonicTime { reactor.now }

    // MARK: Connections

    func add(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = connection
    }

    /// Gives up the calls of a connection that is gone: their tasks are cancelled.
    func remove(_ connection: ServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
        cancelCalls(of: connection)
    }

    /// Notes that `connection` has input; a driver looks at it within this tick.
    func enqueue(_ connection: ServerConnection) {
        ready.append(connection)
        wake()
    }

    /// What a call that is served at once is served with.
    func synchronousCall(of connection: ServerConnection) -> CallResponder {
        if let spareCall { return spareCall }
        let call = CallResponder(connection: connection)
        spareCall = call
        return call
    }

    /// Gives up one call whose handler is suspended: its task is cancelled.
    func cancelCall(of driver: HandlerTask) { driver.cancelCall() }

    private func cancelCalls(of connection: ServerConnection) {
        noteSuspension()
        for driver in connection.waiting.drivers { driver.cancelCall() }
    }

    /// Ends all drivers: parked ones at once, others when their handlers return.
    func stop() {
        isStopped = true
        for connection in connections.values { cancelCalls(of: connection) }
        for driver in parked { driver.resume() }
        parked.removeAll()
    }

    // MARK: Waking

    private func wake() {
        guard !isEnrolled else { return }
        isEnrolled = true
        if !isWaking { startDriver() }
        reactor.observeTickEnd(self)
    }

    /// When the loop has control again, an active driver must be waiting for its handler.
    func tickEnding(on reactor: Reactor) {
        isEnrolled = false
        noteSuspension()
        if hasReady { wake() }
    }

    private func startDriver() {
        guard let connection = takeReady() else { return }
        isWaking = true
        if let driver = parked.popLast() { return driver.resume() }
        let driver = HandlerTask(CallResponder(connection: connection))
        // The driver's task takes the binding over, for all of its calls.
        driver.task = CallContext.$current.withValue(driver.call.freshContext()) {
            executor.start(LoopBound(self, on: reactor), LoopBound(driver, on: reactor))
        }
    }

    // MARK: Driving

    /// Whether the driver is to take calls, or has to end.
    func employs(_ driver: HandlerTask) -> Bool { !driver.isRetired && !isStopped }

    /// The life of a driver: takes calls until a handler has kept what `CallContext.current` is
    /// bound to, for the next call must have another one.
    func drive(_ driver: HandlerTask) async {
        while employs(driver) {
            activate(driver)
            while let connection = takeReady() {
                guard let link = connection.link else {
                    finishReady(connection)
                    continue
                }
                let batch = ServingContext(connection, link, driver.call)
                guard await drive(driver, batch) else { return }
            }
            active = nil
            await park(driver)
        }
    }

    /// The same with one connection, while it is the first of those that are ready.
    ///
    /// - Returns: false where the driver has to end.
    private func drive(_ driver: HandlerTask, _ batch: ServingContext) async -> Bool {
        batch.begins()
        while hasReady, ready[nextReady] === batch.connection {
            let served = await batch.connection.serveNext(driver.call, batch)
            if noteReturn(driver) {
                if driver.isRetired || batch.isKept { return false }
                activate(driver)
            } else {
                if !served { finishReady(batch.connection) }
                if batch.isKept {
                    active = nil
                    // Another driver takes what is left.
                    if hasReady { wake() }
                    return false
                }
            }
        }
        return true
    }

    private func activate(_ driver: HandlerTask) {
        noteSuspension()
        isWaking = false
        active = driver
    }

    /// The active driver, if there is one, waits for its handler: another one may take frames.
    private func noteSuspension() {
        guard let driver = active else { return }
        active = nil
        let call = driver.call
        driver.messageID = call.messageID
        call.connection.waiting.insert(driver)
        dispatcher.limits.callSuspended()
        if let deadline = call.deadline.time {
            driver.deadline = deadlines.insert(at: deadline, driver)
            deadlineTimer?.expect(deadlines.earliest)
        }
    }

    /// A driver's handler is done.
    ///
    /// - Returns: whether it had been suspended, and so another driver may be active.
    private func noteReturn(_ driver: HandlerTask) -> Bool {
        guard driver.waitingIndex != nil else { return false }
        driver.call.connection.waiting.remove(driver)
        dispatcher.limits.callResumed()
        if let deadline = driver.deadline { _ = deadlines.remove(deadline) }
        driver.deadline = nil
        return true
    }

    private func expire() {
        while let (_, driver) = deadlines.popExpired(now: reactor.now) {
            driver.deadline = nil
            dispatcher.counters.timedOut()
            driver.call.fail(driver.call.deadline.failure)
            driver.cancelCall()
        }
        deadlineTimer?.expect(deadlines.earliest)
    }

    private func park(_ driver: HandlerTask) async {
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
