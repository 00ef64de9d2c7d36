public import RocketBase
public import RocketSystem
public import Synchronization

// SAFETY: the reactor is touched only by the thread whose token is `owner`, which every access
// checks; all else is immutable or synchronised by itself.

/// A loop over events, timers and tasks, run by one thread: its Sendable handle, its executor and
/// its one door for other threads.
///
/// Owned by whoever made it (`IOThread`, or a `main` that calls `run`). What is bound to its
/// thread stands in its `Reactor`. All members may be used from any thread, unless they say
/// otherwise.
public final class EventLoop: @unchecked Sendable {
    /// Its name in logs, and its thread's.
    public let name: String
    let configuration: EventLoopConfiguration
    let time: any TimeSource
    let logger: RocketLogger
    let inbox = TaskInbox()
    let wakeup: Wakeup
    let counters = PublishedCounters()
    private let isStopping = Atomic(false)
    // Written once, by the thread that drives the loop, and read by it alone.
    var hasEnded = false
    /// `SystemThread.currentToken` of the thread that drives the loop; 0 when there is none.
    @usableFromInline let owner = Atomic<UInt>(0)
    /// See `load`.
    let connections = Atomic<Int>(0)
    // Set once, in init, after self exists.
    private(set) var ownReactor: Reactor?

    /// Makes a loop that nobody drives yet; tasks may be sent to it at once.
    ///
    /// - Parameters:
    ///   - name: for logs; the kernel shows the first 15 bytes as its thread's name.
    ///   - time: the clock; a manual one in tests.
    ///   - logger: gets a warning for each slow callback.
    /// - Throws: `SystemError` (EMFILE, ENFILE, ENOMEM).
    public init(
        name: String, configuration: EventLoopConfiguration = EventLoopConfiguration(),
        time: any TimeSource = SystemTimeSource(), logger: RocketLogger = .disabled
    ) throws(SystemError) {
        self.name = name
        self.configuration = configuration
        self.time = time
        self.logger = logger
        wakeup = try Wakeup()
        let poller = try Poller(eventsPerWait: configuration.eventsPerTick)
        let reactor = Reactor(loop: self, poller: poller, now: time.monotonic())
        ownReactor = reactor
        _ = try reactor.register(
            wakeup.event.descriptor, interest: [.read, .edgeTriggered], label: "wakeup",
            handler: WakeupHandler())
    }

    deinit { ownReactor?.tearDown() }

    /// True on the thread that drives the loop. Cheap: a load and a compare.
    @inlinable
    public var isInLoop: Bool { owner.load(ordering: .relaxed) == SystemThread.currentToken }

    /// What the loop has done so far, as of its last tick.
    public var statistics: LoopCounters { counters.read() }

    /// When it last moved; a watchdog compares it with the clock.
    public var lastProgress: LoopProgress { counters.lastProgress }

    /// Makes the calling thread the one that drives the loop. Needed before ticks are driven by
    /// hand; `run` does it by itself. Traps while another thread drives it.
    public func claim() {
        let token = SystemThread.currentToken
        let (done, earlier) = owner.compareExchange(
            expected: 0, desired: token, ordering: .acquiring)
        precondition(done || earlier == token, "a loop is driven by one thread")
    }

    func claimIfFree() -> Bool {
        owner.compareExchange(
            expected: 0, desired: SystemThread.currentToken, ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// Ends what `claim` began, so that another thread may drive the loop.
    public func release() {
        precondition(isInLoop, "a loop is released by the thread that drives it")
        owner.store(0, ordering: .sequentiallyConsistent)
    }

    /// One round of the loop: wait, wakeup, I/O, expired timers, one batch of tasks, tick ends.
    /// Only on the thread that drives the loop, and not from inside a callback.
    ///
    /// - Parameter limit: the longest wait for an event; none when work is here already.
    @discardableResult
    public func tick(waitingAtMost limit: Duration) -> TickResult {
        reactor.tick(waitingAtMost: max(0, limit.wholeNanoseconds))
    }

    /// Gives the loop's reactor to `body`. Traps when not on the thread that drives the loop.
    @discardableResult
    public func withReactor<R>(_ body: (Reactor) throws -> R) rethrows -> R {
        try body(reactor)
    }

    /// Drives the loop on the calling thread until `stop`, then runs the tasks that were accepted
    /// before, tells every `LoopEndHandler`, lets go of all handlers and timers, and returns. Once
    /// per loop.
    public func run() {
        claim()
        let reactor = self.reactor
        while !isStopping.load(ordering: .relaxed) { _ = reactor.tick(waitingAtMost: -1) }
        finish()
        release()
        runLateJobs()
    }

    /// Asks `run` to return. Any thread, also before `run`.
    public func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        // An empty task: it wakes the loop, and is seen should it be on its way to sleep.
        execute { _ in }
    }

    var reactor: Reactor {
        precondition(isInLoop, "a reactor is used on its loop's thread only")
        guard let ownReactor else { preconditionFailure("a loop has its reactor from init on") }
        return ownReactor
    }
}
