import RocketBase
import RocketReactor
import RocketRuntime
import RocketSystem

/// Runs handlers that may wait, without a task per call.
///
/// A handler task is long-lived. It takes the next frame and awaits its handler inline; a handler
/// that does not suspend costs a function call. When a handler suspends, its task stays with it,
/// control returns to the loop, and another task goes on with the next frame: a slow call delays no
/// other. Idle tasks are parked and resumed; those that a burst has left behind end after a while.
///
/// Bound to its loop. Decisions are made by `HandlerSchedulerState`. See docs/decisions/0004.
final class HandlerScheduler: TickEndHandler {
    private unowned let reactor: Reactor
    private let executor: LoopActor
    private let dispatcher: RPCDispatcher
    private var state = HandlerSchedulerState(parks: TaskLocalBinding.isAvailable)
    /// All connections whose calls it runs.
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    /// Connections with input that nobody has looked at.
    private var ready = RingBuffer<ServerConnection>()
    private var parked: [HandlerTask] = []
    private var active: HandlerTask?
    /// Of the calls whose handlers are suspended; others are over before a deadline can pass.
    private var deadlines = TimerQueue<HandlerTask>()
    private var deadlineTimer: DeadlineTimer?
    private var trimTimer: ScheduledTimer?
    /// For handlers that never wait.
    private var synchronous: CallResponder?

    /// Parked tasks that were not needed for so long end.
    static let trimInterval = Duration.seconds(10)

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
        // It refers to the connection, which refers to this scheduler.
        if synchronous?.connection === connection { synchronous = nil }
    }

    /// `connection` has input, or has ended: a task looks at it within this tick.
    func enqueue(_ connection: ServerConnection) {
        if connection.isReady || state.phase == .stopped { return }
        connection.isReady = true
        ready.append(connection)
        perform(.inputReady)
    }

    /// What answers a call that is served at once.
    func synchronousResponder(of connection: ServerConnection) -> CallResponder {
        if let synchronous { return synchronous }
        let responder = CallResponder(connection: connection)
        synchronous = responder
        return responder
    }

    private func cancelCalls(of connection: ServerConnection) {
        // One whose handler has suspended within this tick is not among the suspended ones yet.
        if let active, active.responder.connection === connection { perform(.activeSuspended) }
        for task in connection.suspended.tasks { task.cancelCall() }
    }

    /// Begins no further call, and cancels those that run. Parked tasks end at once, others when
    /// their handlers return.
    func stop() { perform(.stop) }

    // MARK: Decisions

    func tickEnding(on reactor: Reactor) { perform(.tickEnded(hasReady: firstReady != nil)) }

    /// - Returns: what is left for a task to do about itself: to park, or to end.
    @discardableResult
    private func perform(_ event: HandlerSchedulerState.Event) -> HandlerSchedulerState.Actions {
        let actions = state.handle(event)
        if actions.contains(.suspendActive) { suspendActive() }
        if actions.contains(.observeTickEnd) { reactor.observeTickEnd(self) }
        if actions.contains(.startTask) { startTask() }
        if actions.contains(.endAll) { endAll() }
        return actions
    }

    private func startTask() {
        if let task = parked.popLast() {
            state.resumedParked()
            return task.resume()
        }
        guard let connection = firstReady else { return }
        let task = HandlerTask(CallResponder(connection: connection))
        let (scheduler, bound) = (
            LoopBound(self, on: reactor), LoopBound(task, on: reactor)
        )
        if TaskLocalBinding.isAvailable {
            task.task = executor.start(scheduler, bound)
        } else {
            // The task awaits one call, and the binding stands for that one.
            task.task = CallContext.$current.withValue(task.responder.onlyContext) {
                executor.start(scheduler, bound)
            }
        }
    }

    private func endAll() {
        ready = RingBuffer()
        for connection in connections.values {
            connection.isReady = false
            cancelCalls(of: connection)
        }
        let tasks = parked
        parked.removeAll()
        for task in tasks { task.resume() }
        trimTimer?.cancel()
        trimTimer = nil
        synchronous = nil
    }

    // MARK: The life of a task

    /// Takes frames and awaits their handlers, until the task is retired or the scheduler stops.
    func run(_ task: HandlerTask) async {
        while !task.isRetired, !perform(.taskRuns).contains(.endTask) {
            active = task
            while let connection = firstReady {
                guard let transport = connection.transport else {
                    finishReady(connection)
                    continue
                }
                let context = ServingContext(connection, transport, task.responder)
                guard await serve(task, context) else { return }
            }
            active = nil
            guard perform(.outOfWork).contains(.park) else { return }
            await park(task)
        }
    }

    /// The same with one connection, while that is the first of those that are ready.
    ///
    /// - Returns: false where the task ends.
    private func serve(_ task: HandlerTask, _ context: ServingContext) async -> Bool {
        while isFirstReady(context.connection) {
            guard case .awaited(let method) = context.connection.takeFrames(context),
                case .awaited(let serve) = method.handler
            else {
                finishReady(context.connection)
                continue
            }
            if TaskLocalBinding.isAvailable {
                // SAFETY: pushed and popped here, in one task, with no way out between them.
                unsafe TaskLocalBinding.push(CallContext.$current, task.responder.context)
                await serve(context, method)
                unsafe TaskLocalBinding.pop()
            } else {
                await serve(context, method)
            }
            task.responder.handlerReturned()
            let wasSuspended = endSuspension(of: task)
            context.connection.handlerReturned()
            if task.isRetired || !TaskLocalBinding.isAvailable {
                if !wasSuspended {
                    active = nil
                    perform(.taskEnded(hasReady: firstReady != nil))
                }
                return false
            }
            if wasSuspended {
                if perform(.taskRuns).contains(.endTask) { return false }
                active = task
            }
        }
        return true
    }

    private func park(_ task: HandlerTask) async {
        if trimTimer == nil, state.needsTrim { scheduleTrim() }
        await unsafe withUnsafeContinuation { continuation in
            unsafe task.park(continuation)
            parked.append(task)
        }
    }

    private func scheduleTrim() {
        trimTimer = reactor.schedule(after: Self.trimInterval, label: "parked handler tasks") {
            [unowned self] _ in trim()
        }
    }

    private func trim() {
        trimTimer = nil
        // The last one parked is the first one resumed: at the front are those that are not needed.
        let count = state.trim()
        let unused = Array(parked.prefix(count))
        parked.removeFirst(count)
        for task in unused { task.retire() }
        if state.needsTrim { scheduleTrim() }
    }

    // MARK: Suspended handlers

    /// The handler of the active task is suspended: another task may take frames.
    private func suspendActive() {
        guard let task = active else { return }
        active = nil
        task.responder.connection.suspended.insert(task, task.responder.messageID)
        dispatcher.limiter.callSuspended()
        if let deadline = task.responder.deadline.time {
            task.deadline = deadlines.insert(at: deadline, task)
            deadlineTimer?.expect(deadlines.earliest)
        }
    }

    /// The handler of a task has returned.
    ///
    /// - Returns: whether it had been suspended, so that another task may be active.
    private func endSuspension(of task: HandlerTask) -> Bool {
        guard task.isSuspended else { return false }
        task.responder.connection.suspended.remove(task)
        dispatcher.limiter.callResumed()
        if let deadline = task.deadline.take() { _ = deadlines.remove(deadline) }
        return true
    }

    private func expire() {
        while let (_, task) = deadlines.popExpired(now: reactor.now) {
            task.deadline = nil
            // Its call was given up, and the handler has not returned yet.
            if unsafe task.responder.isAnswered { continue }
            // The server's limit does not end a reply that waits for room; the caller's deadline may
            // come later.
            guard let time = task.responder.deadline.time else { continue }
            if time > reactor.now {
                task.deadline = deadlines.insert(at: time, task)
                continue
            }
            dispatcher.counters.timedOut()
            task.responder.answer(with: task.responder.deadline.failure)
            task.cancelCall()
        }
        deadlineTimer?.expect(deadlines.earliest)
    }

    // MARK: The ready connections

    private var firstReady: ServerConnection? { ready.first }

    private func isFirstReady(_ connection: ServerConnection) -> Bool {
        ready.first === connection
    }

    /// `connection` has no frame left that can be taken now.
    private func finishReady(_ connection: ServerConnection) {
        guard isFirstReady(connection) else { return }
        connection.isReady = false
        _ = ready.popFirst()
        ready.shrink(to: 1024)
    }
}

/// Gives handler tasks the loop as their executor.
private actor LoopActor {
    private nonisolated let executor: PreferredLoopExecutor

    init(loop: EventLoop) { executor = PreferredLoopExecutor(loop) }

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        // SAFETY: the actor holds the executor, so the reference lives as long as the actor.
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Starts a handler task, which runs from the loop's queue. On the loop.
    ///
    /// It prefers the loop: what a handler awaits outside of every actor (the closures of
    /// `withTaskCancellationHandler` and `TaskLocal.withValue`, to begin with) stays there, too.
    nonisolated func start(
        _ scheduler: LoopBound<HandlerScheduler>, _ task: LoopBound<HandlerTask>
    ) -> Task<Void, Never> {
        Task(executorPreference: scheduler.loop) { await self.run(scheduler, task) }
    }

    private func run(_ scheduler: LoopBound<HandlerScheduler>, _ task: LoopBound<HandlerTask>) async
    {
        await scheduler.get().run(task.get())
    }
}

/// Finds the scheduler of each sub reactor; made with a loop's first connection.
final class SchedulerRegistry: Sendable {
    private let all = Locked<[ObjectIdentifier: (EventLoop, LoopBound<HandlerScheduler>)]>([:])

    /// On the reactor's loop.
    func scheduler(on reactor: Reactor, _ dispatcher: RPCDispatcher) -> HandlerScheduler {
        let key = ObjectIdentifier(reactor.loop)
        let found = all.withLock { $0[key] }
        if let found { return found.1.get() }
        // Only this loop makes its scheduler, so nothing can have come between.
        let scheduler = HandlerScheduler(reactor: reactor, dispatcher: dispatcher)
        let bound = LoopBound(scheduler, on: reactor)
        all.withLock { $0[key] = (reactor.loop, bound) }
        return scheduler
    }

    /// Stops the schedulers of all loops. Any thread; before the loops are stopped.
    func stopAll() {
        for (loop, scheduler) in all.withLock({ Array($0.values) }) {
            loop.execute { _ in scheduler.get().stop() }
        }
    }
}
