public import RocketSystem

/// What is bound to a loop's thread: its registrations, its timers, its time.
///
/// It is not Sendable, and only the loop hands it out, on its own thread: having one proves that
/// you are there. It belongs to its `EventLoop`, which outlives it.
@safe
public final class Reactor {
    /// The handle that other threads use, and the executor of what runs here.
    public unowned let loop: EventLoop
    /// The time, read once per tick, after waiting: within a tick it stands still.
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
    /// Registrations whose interest differs from what the kernel was told.
    @exclusivity(unchecked) var changed: ContiguousArray<Registration> = []
    @exclusivity(unchecked) var timers = TimerQueue<ScheduledTimer>()
    @exclusivity(unchecked) var tasks = RingBuffer<LoopTask>(capacity: 64)
    @exclusivity(unchecked) var tickEnds = RingBuffer<any TickEndHandler>(capacity: 64)
    var inboxSpare: ContiguousArray<LoopTask> = []
    var statistics = LoopCounters()
    /// When the running callback began, in nanoseconds: the end of the one before it.
    var callbackBegan: UInt64 = 0
    var isTicking = false
    /// Waiting tasks that senders know of.
    var publishedBacklog = 0
    /// Was logged, and has not come down to half the limit since.
    var isOverTaskLimit = false
    /// Who is told when the loop ends.
    var loopEnds: ContiguousArray<any LoopEndHandler> = []
    /// What layers above keep with the loop, by type.
    var attachments: [ObjectIdentifier: AnyObject] = [:]

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

    /// Watches a descriptor. The registration, and with it `handler`, stays until it is cancelled,
    /// which has to be before the descriptor is closed.
    ///
    /// - Parameter label: names the handler in logs of slow callbacks.
    /// - Throws: `SystemError` (EPERM: a plain file can't be watched; ENOSPC, ENOMEM).
    public func register(
        _ descriptor: borrowing FileDescriptor, interest: IOInterest, label: StaticString,
        handler: any IOHandler
    ) throws(SystemError) -> Registration {
        let raw = descriptor.raw
        let token = unsafe table.makeToken(raw)
        try poller.add(raw, interest, token: token)
        let registration = Registration(
            raw: raw, token: token, interest: interest, label: label, handler: handler,
            reactor: self)
        unsafe table.insert(registration)
        return registration
    }

    /// The registrations there are now, the loop's own wakeup included.
    public var registrationCount: Int { unsafe table.count }

    /// Calls `handler` once at the end of this tick, in the order of enrolment. Allocates nothing
    /// in steady state; the caller remembers that it is enrolled.
    @inline(__always)
    public func observeTickEnd(_ handler: any TickEndHandler) { unsafe tickEnds.append(handler) }

    func forget(_ registration: Registration) {
        poller.remove(registration.raw)
        unsafe table.remove(registration)
    }

    /// Tells the kernel of changed interests: at most one call per registration and tick.
    func applyChanges() {
        if unsafe changed.isEmpty { return }
        unsafe swap(&changed, &changedSpare)
        for registration in changedSpare {
            registration.isChanged = false
            guard registration.isActive, registration.interest != registration.applied else {
                continue
            }
            registration.applied = registration.interest
            statistics.interestChanges &+= 1
            poller.change(registration.raw, registration.interest, token: registration.token)
        }
        changedSpare.removeAll(keepingCapacity: true)
    }

    /// Lets go of all handlers and timers, and of what they refer to.
    func tearDown() {
        for registration in unsafe table.removeAll() {
            poller.remove(registration.raw)
            registration.detach()
        }
        unsafe changed.removeAll()
        for timer in unsafe timers.removeAll() { _ = timer.end() }
        while let handler = unsafe tickEnds.popFirst() { withExtendedLifetime(handler) {} }
        loopEnds.removeAll()
        attachments.removeAll()
    }
}
