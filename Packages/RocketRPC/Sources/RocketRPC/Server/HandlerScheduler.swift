import RocketBase
import RocketCodec
import RocketReactor
import RocketRuntime
import RocketSystem

/// Runs asynchronous handlers without creating a task per call.
///
/// A handler task is long-lived. It takes the next frame and awaits its handler inline: a handler
/// that does not suspend costs a function call. When a handler suspends, its task is suspended with
/// it, control returns to the loop, and another task takes the next frame: a slow call does not
/// delay other calls. Idle tasks are parked and resumed; unused ones end after `trimInterval`.
///
/// Bound to its loop. `HandlerSchedulerState` makes the decisions. See docs/decisions/0004.
final class HandlerScheduler: TickEndHandler {
    unowned let reactor: Reactor
    private let executor: LoopActor
    let dispatcher: RPCDispatcher
    /// The dispatcher's methods, as objects of this loop.
    let table: MethodTable
    private var state = HandlerSchedulerState(parks: TaskLocalBinding.isAvailable)
    /// All connections whose calls are served by this scheduler.
    private var connections = OrderedObjects<ServerConnection>()
    /// Those that wait for their first bytes to know their wire.
    var silent = SilentConnections()
    /// Connections with unprocessed input.
    private var ready = RingBuffer<ServerConnection>()
    private var parked: [HandlerTask] = []
    private var active: HandlerTask?
    /// The time of the tick in which `active` takes frames.
    private var activeSince = MonotonicTime(nanoseconds: 0)
    /// The deadlines of calls with suspended handlers; other calls end before a deadline can pass.
    private(set) var deadlines = TimerQueue<HandlerTask>()
    private var deadlineTimer: DeadlineTimer?
    private var trimTimer: ScheduledTimer?
    /// Fires when draining connections whose peers are silent have to be closed.
    private var silentPeersTimer: ScheduledTimer?
    /// Nil: connections may get as old as they will.
    private let ages: ConnectionAges?
    /// What the replies of its connections report; nil: nothing.
    let load: LoopLoad?
    /// Records the calls of its connections; nil: nothing does.
    let metrics: LoopMetrics?
    /// The responder of synchronous handlers.
    private var synchronous: CallResponder?
    /// Decides which calls begin under overload; nil: all do, and no call that runs has been admitted
    /// by one.
    private(set) var admission: AdmissionControl?
    private var admissionGeneration = 0
    private var isAdmissionActive = false
    /// Has the schedulers of the server's other loops; nil: there are none.
    private(set) weak var registry: SchedulerRegistry?

    /// Parked tasks that were unused for this interval end.
    static let trimInterval = Duration.seconds(10)

    init(
        reactor: Reactor, dispatcher: RPCDispatcher, age: ConnectionAge? = nil,
        load: ServerLoad? = nil, metrics: ServerMetrics? = nil, registry: SchedulerRegistry? = nil
    ) {
        self.registry = registry
        self.reactor = reactor
        self.dispatcher = dispatcher
        table = MethodTable(ofLoop: dispatcher.table)
        ages = age.map { ConnectionAges($0, on: reactor) }
        self.load = load.map { LoopLoad($0, on: reactor) }
        self.metrics = metrics?.recorder(on: reactor)
        executor = LoopActor(loop: reactor.loop)
        deadlineTimer = DeadlineTimer(on: reactor, label: "handler deadline") {
            [unowned self] in expire()
        }
    }

    /// Adopts the settings about overload if they have changed. Once per read.
    ///
    /// - Returns: whether there is an admission control.
    @inline(__always)
    func updateAdmission() -> Bool {
        if dispatcher.overload.generation != admissionGeneration { adoptAdmission() }
        return isAdmissionActive
    }

    private func adoptAdmission() {
        if let admission {
            // It remains for the calls that run.
            admission.update()
        } else {
            admission = AdmissionControl(
                dispatcher.overload, dispatcher.table.entries, on: reactor)
        }
        admissionGeneration = admission?.generation ?? 0
        isAdmissionActive = admission?.isActive ?? false
    }

    // MARK: Connections

    /// Returns a connection whose calls this scheduler serves.
    func makeConnection(_ codec: TinyPBCodec, number: UInt64? = nil) -> ServerConnection {
        ServerConnection(dispatcher: dispatcher, codec: codec, scheduler: self, number: number)
    }

    /// All of them, in the order in which they were added.
    var openConnections: [ServerConnection] { Array(connections.inOrder) }

    /// The handler tasks that exist: parked, active, or with suspended handlers.
    var taskCount: Int {
        connections.inOrder.reduce(parked.count + (active == nil ? 0 : 1)) {
            $0 + $1.suspended.tasks.count
        }
    }

    func add(_ connection: ServerConnection) {
        connections.insert(connection)
        connection.ageTimer = ages?.add(connection)
    }

    /// Removes a connection that has closed, or goes on at another loop, and cancels its calls.
    func remove(_ connection: ServerConnection) {
        connections.remove(connection)
        metrics?.ended(connection)
        if let timer = connection.ageTimer.take() { ages?.remove(timer) }
        cancelCalls(of: connection)
        // It refers to the connection, which refers to this scheduler.
        if synchronous?.connection === connection { synchronous = nil }
    }

    /// Schedules a connection that has input or has ended: a task processes it within this tick.
    func enqueue(_ connection: ServerConnection) {
        if connection.isReady || state.phase == .stopped { return }
        connection.isReady = true
        connection.waitingSince = now
        ready.append(connection)
        perform(.inputReady)
    }

    /// Returns the responder of synchronous calls, which all connections of the loop share.
    func synchronousResponder(of connection: ServerConnection) -> CallResponder {
        if let synchronous { return synchronous }
        let responder = CallResponder(connection: connection)
        synchronous = responder
        return responder
    }

    /// Calls `silentPeriodEnded` of each draining connection when its time has come.
    func closeSilentPeersLater() {
        guard silentPeersTimer == nil, state.phase != .stopped,
            let next = connections.inOrder.compactMap(\.ending.silentUntil).min()
        else { return }
        silentPeersTimer = reactor.schedule(after: next - reactor.now, label: "silent peers") {
            [unowned self] _ in
            silentPeersTimer = nil
            for connection in connections.inOrder { connection.silentPeriodEnded(reactor.now) }
            closeSilentPeersLater()
        }
    }

    /// Returns the suspended task that serves the call with that stream. Looks through all of them.
    func suspendedTask(with stream: CallStream, of connection: ServerConnection) -> HandlerTask? {
        suspendedTasks(of: connection).first { $0.responder.stream === stream }
    }

    /// Returns the tasks whose handlers serve calls of that connection, which are suspended.
    func suspendedTasks(of connection: ServerConnection) -> [HandlerTask] {
        recordSuspension(on: connection)
        return connection.suspended.tasks
    }

    /// A call whose handler has suspended within this tick is not in `suspended` yet. Between calls the
    /// task runs, and reads the frame that this is about.
    private func recordSuspension(on connection: ServerConnection) {
        guard let active, !active.responder.isOver else { return }
        if active.responder.connection === connection { perform(.activeSuspended) }
    }

    private func cancelCalls(of connection: ServerConnection) {
        for task in suspendedTasks(of: connection) { task.cancelCall() }
    }

    /// Stops the scheduler: no further call begins, and running calls are cancelled. Parked tasks
    /// end at once, others when their handlers return.
    func stop() { perform(.stop) }

    // MARK: Decisions

    func tickEnding(on reactor: Reactor) { perform(.tickEnded(hasReady: firstReady != nil)) }

    /// - Returns: the actions, of which the calling task has to perform `park` and `endTask`.
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
        let (scheduler, bound) = (LoopBound(self, on: reactor), LoopBound(task, on: reactor))
        if TaskLocalBinding.isAvailable {
            task.task = executor.start(scheduler, bound)
        } else {
            // The task awaits a single call, and the binding refers to that call.
            task.task = CallContext.$current.withValue(task.responder.onlyContext) {
                executor.start(scheduler, bound)
            }
        }
    }

    private func endAll() {
        ready = RingBuffer()
        for connection in connections.inOrder {
            connection.isReady = false
            cancelCalls(of: connection)
        }
        for task in parked { task.resume() }
        parked = []
        trimTimer.take()?.cancel()
        silentPeersTimer.take()?.cancel()
        ages?.cancel()
        synchronous = nil
    }

    // MARK: Handler tasks

    /// Takes frames and awaits their handlers, until the task is retired or the scheduler stops.
    func run(_ task: HandlerTask) async {
        while !task.isRetired, !perform(.taskRuns).contains(.endTask) {
            activate(task)
            while let connection = firstReady {
                guard let transport = connection.transport else {
                    finishReady(connection)
                    continue
                }
                let context = _ServingContext(connection, transport, task.responder)
                guard await serve(task, context) else { return }
            }
            active = nil
            if !task.takesCalls { return _ = perform(.taskEnded(hasReady: false)) }
            guard perform(.outOfWork).contains(.park) else { return }
            await park(task)
        }
    }

    /// Takes the frames of one connection and awaits their handlers, while the connection is the
    /// first ready one.
    ///
    /// - Returns: false if the task ends.
    private func serve(_ task: HandlerTask, _ context: _ServingContext) async -> Bool {
        while task.next != nil || firstReady === context.connection {
            let next = task.next.take() ?? context.connection.takeFrames(context)
            guard case .awaited(let method) = next, case .awaited(let serve) = method.handler else {
                finishReady(context.connection)
                continue
            }
            task.bindCall()
            await serve(context, method)
            if task.next != nil { continue }
            task.responder.handlerReturned()
            let wasSuspended = endSuspension(of: task)
            context.connection.handlerReturned()
            if !task.takesCalls || !TaskLocalBinding.isAvailable {
                if !wasSuspended {
                    active = nil
                    perform(.taskEnded(hasReady: firstReady != nil))
                }
                return false
            }
            if wasSuspended {
                if perform(.taskRuns).contains(.endTask) { return false }
                activate(task)
            }
        }
        return true
    }

    /// Ends the call of the active task, whose handler has returned without suspending, and takes
    /// the frames behind it: `serve` goes on with a call of `method`, too.
    ///
    /// - Parameter decode: called with the request of such a call.
    /// - Returns: whether such a call has begun. If not, the task's `next` says what follows; nil:
    ///   the call has not been ended.
    func beginsNext(
        _ context: _ServingContext, _ method: _MethodEntry, _ decode: (RawSpan) -> Void
    ) -> Bool {
        guard TaskLocalBinding.isAvailable, let task = active, task.takesCalls,
            task.responder === context.responder
        else { return false }
        assert(firstReady === context.connection)
        context.responder.handlerReturned()
        context.connection.handlerReturned()
        let next = context.connection.takeFrames(context, method, activeSince, decode)
        guard case .decoded = next else {
            task.next = next
            return false
        }
        task.bindCall()
        context.requestDecoded()
        return true
    }

    private func activate(_ task: HandlerTask) {
        active = task
        activeSince = now
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
        // The task that was parked last is resumed first: unused tasks are at the front.
        let unused = Array(parked.prefix(state.trim()))
        parked.removeFirst(unused.count)
        for task in unused { task.retire() }
        if state.needsTrim { scheduleTrim() }
    }

    // MARK: Suspended handlers

    /// Adds the active task to the suspended ones: another task may take frames.
    private func suspendActive() {
        guard let task = active else { return }
        active = nil
        let connection = task.responder.connection
        metrics?.trace(task.responder)
        connection.suspended.insert(task, task.responder.messageID)
        if let health = task.responder.method?.health {
            connection.healthCallSuspended(task, health)
        } else {
            dispatcher.limiter.callSuspended()
        }
        if let deadline = task.responder.deadline.time {
            task.deadline = deadlines.insert(at: deadline, task)
            deadlineTimer?.expect(deadlines.earliest)
        }
    }

    /// Removes a task whose handler has returned from the suspended ones.
    ///
    /// - Returns: whether the handler had been suspended, so that another task may be active.
    private func endSuspension(of task: HandlerTask) -> Bool {
        guard task.isSuspended else { return false }
        let connection = task.responder.connection
        connection.suspended.remove(task)
        if let health = task.responder.method?.health {
            connection.healthCallResumed(health)
        } else {
            dispatcher.limiter.callResumed()
        }
        if let deadline = task.deadline.take() { _ = deadlines.remove(deadline) }
        return true
    }

    private func expire() {
        while let (_, task) = deadlines.popExpired(now: reactor.now) {
            task.deadline = nil
            // The call was cancelled, and its handler has not returned yet.
            if unsafe task.responder.isAnswered { continue }
            // The server's limit does not end a reply that waits for room, but the caller's
            // deadline does, which may be later.
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

    private var firstReady: ServerConnection? { ready.first }

    /// Removes `connection` from the ready ones: it has no frame that can be taken now.
    private func finishReady(_ connection: ServerConnection) {
        guard firstReady === connection else { return }
        connection.isReady = false
        _ = ready.popFirst()
        ready.shrink(to: 1024)
    }
}
