import RocketBase
@_spi(Simulation) public import RocketSystem

/// What is bound to a loop's thread: its registrations, its timers, its time.
///
/// Not Sendable; only the loop passes it out, on its own thread, so holding one proves that the
/// code runs there. Owned by its `EventLoop`, which outlives it.
@safe
public final class Reactor {
    /// The handle for other threads, and the executor of what runs here.
    public unowned let loop: EventLoop
    /// The time, read once per tick, after the wait: it is constant within a tick.
    public var now: MonotonicTime { tickTime }
    /// How long events may have waited for this tick, in nanoseconds: as long as the tick before
    /// lasted; 0 if the loop waited between the two, since an event ends its wait. What arrived while
    /// the other tick ran waited for half of it on average.
    public var latenessNanoseconds: UInt64 { lateness }
    /// How long the loop has waited for events until this tick, in nanoseconds since it was created:
    /// the rest of the time until `now` it has worked.
    public var waitedNanoseconds: UInt64 { waited }
    /// How long the loop has worked until this tick, in nanoseconds since it was created.
    public var workedNanoseconds: UInt64 { now.nanoseconds &- created &- waited }
    /// When the callback began that runs now, or the one before it ended: the last time that the loop has
    /// read, in nanoseconds. Not before `now`.
    public var callbackBeganNanoseconds: UInt64 { callbackBegan }
    /// The tasks that wait to run.
    public var waitingTasks: Int { unsafe tasks.count }
    /// The random numbers of the loop: whatever is random on a call's way draws from it.
    public let random: LoopRandom

    // Stored properties are internal: the optimiser sees all their uses, and needs no exclusivity
    // checks at run time (as it does for public ones, which cost more than the work).
    var tickTime: MonotonicTime
    var lateness: UInt64 = 0
    // Copies of what the loop holds: `loop` is unowned, and each use of it counts references.
    let time: any TimeSource
    let inbox: TaskInbox
    let wakeup: Wakeup
    let counters: PublishedCounters
    let tasksPerTick: Int
    let taskLimit: Int
    let timersPerTick: Int
    let slowCallbackNanoseconds: UInt64
    // SAFETY: the executor is the loop that owns this reactor, so it outlives them.
    let serialExecutor: UnownedSerialExecutor
    let taskExecutor: UnownedTaskExecutor

    /// The network whose sockets the loop watches; nil: the kernel's.
    @_spi(Simulation) public var simulatedNetwork: (any SimulatedNetwork)? {
        loop.simulatedNetwork
    }

    let poller: Poller
    var changedSpare: ContiguousArray<Registration> = []
    var labels = CallbackLabels()
    // SAFETY of the unchecked ones: their users take an element out or put one in, and no callback
    // runs meanwhile (payloads are taken out before they are released), so accesses can't overlap.
    // The checks were a fifth of a tick's instructions.
    @exclusivity(unchecked) var table = RegistrationTable()
    /// Registrations whose interest differs from what the kernel has.
    @exclusivity(unchecked) var changed: ContiguousArray<Registration> = []
    @exclusivity(unchecked) var timers = TimerQueue<ScheduledTimer>()
    @exclusivity(unchecked) var tasks = RingBuffer<LoopTask>(capacity: 64)
    @exclusivity(unchecked) var tickEnds = RingBuffer<any TickEndHandler>(capacity: 64)
    var inboxSpare: ContiguousArray<LoopTask> = []
    var statistics = LoopCounters()
    /// When the running callback began, in nanoseconds: the end of the one before it.
    var callbackBegan: UInt64
    /// See `waitedNanoseconds`.
    var waited: UInt64 = 0
    var busyWait: BusyWait
    let runsInCallers: Bool
    private let created: UInt64
    var isTicking = false
    /// The number of waiting tasks that senders see.
    var publishedBacklog = 0
    /// The excess was logged, and the number of tasks has not fallen to half the limit since.
    var isOverTaskLimit = false
    /// Returns the error with which an operation on the registration of that label fails instead of
    /// being performed; nil: it is performed. For tests of what the kernel rarely does.
    @_spi(TestKit) public var injectedFailure: ((PollerOperation, StaticString) -> Errno?)?
    private var loopEnds: ContiguousArray<any LoopEndHandler> = []
    /// Objects that layers above keep with the loop, few, one of each type, in the order of their
    /// making.
    private var attachments: [AnyObject] = []

    init(loop: EventLoop, poller: consuming Poller, now: MonotonicTime, random: LoopRandom) {
        self.loop = loop
        self.random = random
        self.poller = poller
        time = loop.time
        inbox = loop.inbox
        wakeup = loop.wakeup
        counters = loop.counters
        tasksPerTick = max(1, loop.configuration.tasksPerTick)
        taskLimit = max(1, loop.configuration.taskLimit)
        timersPerTick = max(1, loop.configuration.timersPerTick)
        busyWait = BusyWait(loop.configuration.busyWait)
        runsInCallers = loop.configuration.runsInCallers
        slowCallbackNanoseconds =
            loop.configuration.slowCallback.map { UInt64(max(0, $0.wholeNanoseconds)) } ?? .max
        unsafe serialExecutor = loop.asUnownedSerialExecutor()
        unsafe taskExecutor = loop.asUnownedTaskExecutor()
        tickTime = now
        callbackBegan = now.nanoseconds
        created = now.nanoseconds
    }

    /// Returns the one object of that type that a layer above keeps with this loop, and makes it on
    /// first use. Released when the loop ends.
    public func attachment<Attached: AnyObject>(
        _ type: Attached.Type, make: (Reactor) -> Attached
    ) -> Attached {
        for case let found as Attached in attachments { return found }
        let made = make(self)
        attachments.append(made)
        return made
    }

    /// Releases all handlers and timers, and what they refer to.
    func tearDown() {
        removeRegistrations()
        for timer in unsafe timers.removeAll() { _ = timer.end() }
        while let handler = unsafe tickEnds.popFirst() { withExtendedLifetime(handler) {} }
        loopEnds.removeAll()
        while let last = attachments.popLast() { withExtendedLifetime(last) {} }
    }
}

// MARK: - Ends

/// Finishes something at the end of a tick, as flushing what was written in it.
public protocol TickEndHandler: AnyObject {
    /// Called on the loop's thread, once for each `observeTickEnd`.
    func tickEnding(on reactor: Reactor)
}

/// Closes something, or notifies others, when the loop ends.
public protocol LoopEndHandler: AnyObject {
    /// Called on the loop's thread after `stop`. Events and timers are not delivered any more, but
    /// tasks and tick ends that this call queues still run. Called a second time when other tasks
    /// have run in between and the handler is still registered.
    func loopEnding(on reactor: Reactor)
}

extension Reactor {
    /// Calls `handler` once at the end of this tick. Handlers are called in the order of these
    /// calls; a handler that is added by a tick end has its turn in the next round. Allocates
    /// nothing in steady state. The caller records that it is waiting: nothing here prevents a
    /// second call.
    @inline(__always)
    public func observeTickEnd(_ handler: any TickEndHandler) { unsafe tickEnds.append(handler) }

    /// Calls `handler` when the loop ends. Handlers are called in the order of these calls, and
    /// retained until then or until `stopObservingLoopEnd`.
    public func observeLoopEnd(_ handler: any LoopEndHandler) { loopEnds.append(handler) }

    /// Reverts `observeLoopEnd`. Looks through all handlers: for few of them.
    public func stopObservingLoopEnd(_ handler: any LoopEndHandler) {
        loopEnds.removeAll { $0 === handler }
    }

    /// The list may change meanwhile.
    func notifyLoopEnd() {
        for handler in loopEnds { handler.loopEnding(on: self) }
    }
}

/// One round of the loop, in this order: wait, wakeup, I/O, expired timers, tasks, tick ends.
extension Reactor {
    /// - Parameter nanoseconds: the longest wait; 0: none; negative: no limit.
    func tick(waitingAtMost nanoseconds: Int64) -> TickResult {
        precondition(!isTicking, "a tick is not run from inside a tick")
        applyInterestChanges()
        return tick(ready: wait(nanoseconds))
    }

    /// The part of a tick after the wait.
    @inline(__always)
    func tick(ready: Int) -> TickResult {
        isTicking = true
        defer { isTicking = false }
        var result = TickResult()
        takeTasks()
        result.events = deliver(ready)
        result.timers = fireTimers()
        result.tasks = runTasks()
        count(result)
        return result
    }

    /// Moves what other threads have sent to the queue of tasks.
    func takeTasks() {
        if inbox.isEmpty { return }
        unsafe inbox.drain(into: &tasks, spare: &inboxSpare)
        publishedBacklog = unsafe tasks.count
    }

    /// Whether work is queued already, so that a tick does not wait.
    var hasWork: Bool { unsafe !tasks.isEmpty || !tickEnds.isEmpty || !inbox.isEmpty }

    /// A wait that took longer was a sleep: the system call takes less where events are ready.
    private static var leastSleepNanoseconds: UInt64 { 50_000 }

    private func wait(_ limit: Int64) -> Int {
        guard busyWait.nanoseconds > 0, limit != 0, !hasWork else {
            return awake(ready: sleep(timeToSleep(limit)))
        }
        var hasWaited = false
        let ready =
            waitBusily(limit, hasWaited: &hasWaited)
            ?? sleep(timeToSleep(limit))
        return awake(ready: ready, hasWaited: hasWaited)
    }

    /// How long the loop may sleep, in nanoseconds; negative: without limit. From here on until
    /// `awake` senders wake it.
    @inline(__always)
    func timeToSleep(_ limit: Int64) -> Int64 {
        var nanoseconds = hasWork ? 0 : limit
        if nanoseconds != 0 {
            nanoseconds = timeToNextTimer(limit)
            if !wakeup.announceSleep(unless: { !inbox.isEmpty }) { nanoseconds = 0 }
            counters.markProgress(now.nanoseconds, isWaiting: true)
        }
        return nanoseconds
    }

    /// Ends the sleep.
    ///
    /// - Parameter hasWaited: true if there were no events when the wait began, however short it was.
    /// - Returns: `ready`, the number of events.
    @inline(__always)
    func awake(ready: Int, hasWaited: Bool = false) -> Int {
        wakeup.isAwake()
        let (began, ended) = (tickTime.nanoseconds, callbackBegan)
        tickTime = time.monotonic()
        let slept = hasWaited || tickTime.nanoseconds &- ended > Self.leastSleepNanoseconds
        lateness = slept ? 0 : ended &- began
        counters.markProgress(now.nanoseconds, isWaiting: false)
        let wait = now.nanoseconds &- callbackBegan
        waited &+= wait
        busyWait.waited(wait)
        callbackBegan = now.nanoseconds
        return ready
    }

    /// Reads the clock once more, since the callbacks of the last tick took their time; but only
    /// when a timer waits and there is nothing else to do.
    private func timeToNextTimer(_ limit: Int64) -> Int64 {
        unsafe timers.prune()
        guard let earliest = unsafe timers.earliest else { return limit }
        let moment = time.monotonic()
        let left = earliest > moment ? earliest.nanoseconds - moment.nanoseconds : 0
        let nanoseconds = Int64(clamping: left)
        return limit < 0 ? nanoseconds : min(limit, nanoseconds)
    }

    private func deliver(_ ready: Int) -> Int {
        var delivered = 0
        for index in 0..<ready {
            let (token, events) = poller.event(index)
            guard let registration = unsafe table[token], let handler = registration.handler else {
                continue
            }
            // Read before the call, so that the registration need not be retained across it.
            let label = registration.label
            // An earlier callback of this tick may have changed the interest.
            let wanted = IOEvents(rawValue: registration.interest.rawValue & 7 | 48)
            let relevant = events.intersection(wanted)
            if relevant.isEmpty { continue }
            handler.ready(relevant, on: self)
            delivered += 1
            callbackEnded(labels[label])
        }
        return delivered
    }

    private func fireTimers() -> Int {
        var fired = 0
        while fired < timersPerTick,
            let (_, timer) = unsafe timers.popExpired(now: now)
        {
            timer.fire(on: self)
            fired += 1
            callbackEnded(timer.label)
        }
        return fired
    }

    /// Runs tasks, then tick ends, and again what these have queued, while the budget lasts. Each
    /// tick-end handler is called before the tick ends; what remains is for the next one.
    private func runTasks() -> Int {
        let budget = tasksPerTick
        var run = 0
        var rounds = 0
        repeat {
            takeTasks()
            let waiting = unsafe tasks.count
            if waiting > statistics.mostTasksWaiting || waiting >= taskLimit {
                recordBacklog(waiting)
            }
            while run < budget, let task = unsafe tasks.popFirst() {
                perform(task)
                run += 1
                callbackEnded(task.label)
            }
            runTickEnds()
            rounds += 1
        } while run < budget && rounds < budget && hasWork
        unsafe tasks.shrink(to: 65_536)
        publishBacklog()
        return run
    }

    func runTickEnds() {
        // Handlers that are added from now on are behind these, and have their turn next round.
        var left = unsafe tickEnds.count
        if left == 0 { return }
        while left > 0, let handler = unsafe tickEnds.popFirst() {
            handler.tickEnding(on: self)
            left &-= 1
        }
        callbackEnded("tick end")
    }

    private func count(_ result: TickResult) {
        statistics.ticks &+= 1
        statistics.events &+= UInt64(result.events)
        statistics.timers &+= UInt64(result.timers)
        statistics.tasks &+= UInt64(result.tasks)
        statistics.workedNanoseconds = callbackBegan &- created &- waited
        counters.publish(statistics)
    }
}

// MARK: - Slow callbacks

extension Reactor {
    /// Each callback's end is the next one's beginning: the clock is read once per callback.
    @inline(__always)
    func callbackEnded(_ label: StaticString) {
        let moment = time.monotonic().nanoseconds
        let taken = moment &- callbackBegan
        callbackBegan = moment
        if taken > statistics.longestCallbackNanoseconds { longest(taken) }
        if taken >= slowCallbackNanoseconds { reportSlow(label, taken) }
    }

    private func longest(_ taken: UInt64) { statistics.longestCallbackNanoseconds = taken }

    @inline(never)
    private func reportSlow(_ label: StaticString, _ taken: UInt64) {
        statistics.slowCallbacks &+= 1
        let duration = Duration.nanoseconds(Int64(clamping: taken))
        let slow = SlowCallback(loop: loop.name, label: label, duration: duration)
        loop.logger.warn("a callback blocked its event loop") {
            $0.add("loop", slow.loop)
            $0.add("callback", label)
            $0.add("us", taken / 1000)
        }
        loop.configuration.onSlowCallback?(slow)
    }
}

// MARK: - Backlog

extension Reactor {
    /// Records that more tasks wait than ever before, or too many. Logs one line each time that
    /// their number reaches the limit.
    @inline(never)
    private func recordBacklog(_ waiting: Int) {
        statistics.mostTasksWaiting = max(statistics.mostTasksWaiting, waiting)
        if waiting < taskLimit || isOverTaskLimit { return }
        isOverTaskLimit = true
        loop.logger.warn("an event loop receives more tasks than it runs") {
            $0.add("loop", self.loop.name)
            $0.add("waiting", waiting)
            $0.add("limit", self.taskLimit)
        }
    }

    /// Publishes to senders how many tasks wait at the end of a tick. The next warning requires
    /// that their number has fallen to half the limit.
    private func publishBacklog() {
        let left = unsafe tasks.count
        if left == publishedBacklog { return }
        publishedBacklog = left
        inbox.publish(backlog: left)
        if left <= taskLimit / 2 { isOverTaskLimit = false }
    }
}
