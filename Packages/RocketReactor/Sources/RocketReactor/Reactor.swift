public import RocketSystem

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

    // Stored properties are internal: the optimiser sees all their uses, and needs no exclusivity
    // checks at run time (as it does for public ones, which cost more than the work).
    var tickTime: MonotonicTime
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

    let poller: Poller
    var changedSpare: ContiguousArray<Registration> = []
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
    var callbackBegan: UInt64 = 0
    var isTicking = false
    /// The number of waiting tasks that senders see.
    var publishedBacklog = 0
    /// The excess was logged, and the number of tasks has not fallen to half the limit since.
    var isOverTaskLimit = false
    /// Returns the error with which an operation on the registration of that label fails instead of
    /// being performed; nil: it is performed. For tests of what the kernel rarely does.
    @_spi(TestKit) public var injectedFailure: ((PollerOperation, StaticString) -> Errno?)?
    private var loopEnds: ContiguousArray<any LoopEndHandler> = []
    /// Objects that layers above keep with the loop, by type.
    private var attachments: [ObjectIdentifier: AnyObject] = [:]

    init(loop: EventLoop, poller: consuming Poller, now: MonotonicTime) {
        self.loop = loop
        self.poller = poller
        time = loop.time
        inbox = loop.inbox
        wakeup = loop.wakeup
        counters = loop.counters
        tasksPerTick = max(1, loop.configuration.tasksPerTick)
        taskLimit = max(1, loop.configuration.taskLimit)
        timersPerTick = max(1, loop.configuration.timersPerTick)
        slowCallbackNanoseconds =
            loop.configuration.slowCallback.map { UInt64(max(0, $0.wholeNanoseconds)) } ?? .max
        unsafe serialExecutor = loop.asUnownedSerialExecutor()
        unsafe taskExecutor = loop.asUnownedTaskExecutor()
        tickTime = now
    }

    /// Returns the one object of that type that a layer above keeps with this loop, and makes it on
    /// first use. Released when the loop ends.
    public func attachment<Attached: AnyObject>(
        _ type: Attached.Type, make: (Reactor) -> Attached
    ) -> Attached {
        if let found = attachments[ObjectIdentifier(type)] as? Attached { return found }
        let made = make(self)
        attachments[ObjectIdentifier(type)] = made
        return made
    }

    /// Releases all handlers and timers, and what they refer to.
    func tearDown() {
        removeRegistrations()
        for timer in unsafe timers.removeAll() { _ = timer.end() }
        while let handler = unsafe tickEnds.popFirst() { withExtendedLifetime(handler) {} }
        loopEnds.removeAll()
        attachments.removeAll()
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
