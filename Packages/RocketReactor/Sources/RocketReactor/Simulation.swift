public import RocketBase
@_spi(Simulation) public import RocketSystem
import Synchronization

/// What a loop of a simulation waits on, in place of epoll. Its functions are called on the thread
/// that drives the loop, `wake` on any thread.
@_spi(Simulation)
public protocol SimulatedPoller: AnyObject, Sendable {
    /// Watches the socket of that number (EPOLL_CTL_ADD).
    ///
    /// - Throws: `SystemError` as epoll_ctl(2) does.
    func add(_ number: Int32, _ interest: IOInterest, token: UInt64) throws(SystemError)
    /// Changes the interest (EPOLL_CTL_MOD).
    func change(_ number: Int32, _ interest: IOInterest, token: UInt64) throws(SystemError)
    /// Ends watching (EPOLL_CTL_DEL).
    func remove(_ number: Int32) throws(SystemError)
    /// Returns how many events there are now; `event` returns them until the next call.
    func poll() -> Int
    /// Returns an event of the last poll.
    func event(_ index: Int) -> (token: UInt64, events: IOEvents)
    /// Makes the loop's next tick begin now. Called at most once while the loop sleeps.
    func wake()
}

/// What a loop of a simulation is made of, in place of the kernel. A value.
@_spi(Simulation)
public struct SimulatedKernel: Sendable {
    /// Reports the readiness of sockets.
    public let poller: any SimulatedPoller
    /// Makes the sockets.
    public let network: any SimulatedNetwork

    /// Creates it from its parts.
    public init(poller: any SimulatedPoller, network: any SimulatedNetwork) {
        self.poller = poller
        self.network = network
    }
}

/// Driving a loop in a simulation: each tick in two halves, so that a world can run other loops
/// while this one sleeps. Only on the thread that drives the loop, which `claim` has made known.
@_spi(Simulation)
extension EventLoop {
    /// The network whose sockets the loop watches; nil: the kernel's.
    public var simulatedNetwork: (any SimulatedNetwork)? { simulated?.network }

    /// Begins a tick: passes changed interests on and goes to sleep.
    ///
    /// - Returns: when the loop is to be woken at the latest; the present while work is queued. An
    ///   event of the poller, or its `wake`, wakes it earlier.
    public func beginTick() -> MonotonicTime { withReactor { $0.beginTick() } }

    /// Ends the tick that `beginTick` began: wakes up, handles events, timers and tasks.
    @discardableResult
    public func finishTick() -> TickResult { withReactor { $0.finishTick() } }

    /// Whether tasks of other loops wait to be taken.
    public var hasWaitingTasks: Bool { !inbox.isEmpty }

    /// Timers that have neither fired nor been cancelled.
    public var waitingTimerCount: Int { withReactor { unsafe $0.timers.count } }

    /// Whether `stop` has been called: the next step is `end`.
    public var isStopRequested: Bool { isStopping.load(ordering: .relaxed) }

    /// Ends the loop as `run` does after `stop`: runs the tasks that were accepted before, notifies
    /// the loop-end handlers, releases all handlers and timers, and the claim. Once.
    public func end() { finishRun() }
}

extension Reactor {
    fileprivate func beginTick() -> MonotonicTime {
        precondition(!isTicking, "a tick is not begun from inside a tick")
        applyInterestChanges()
        let nanoseconds = timeToSleep(-1)
        if nanoseconds < 0 { return .distantFuture }
        return time.monotonic().later(by: UInt64(nanoseconds))
    }

    fileprivate func finishTick() -> TickResult {
        tick(ready: awake(ready: poller.wait(nanoseconds: 0)))
    }
}

/// What drives a loop: an `IOThread`, or in a simulation its world. Any thread.
@_spi(Simulation)
public protocol LoopThread: Sendable {
    /// The loop that it drives.
    var loop: EventLoop { get }
    /// Requests that the loop ends. Returns at once.
    func stop()
    /// Waits until it has ended. Once, after `stop`.
    func ended() async
}

/// Starts what drives a loop, given the loop's name, its limits and its logger.
@_spi(Simulation)
public typealias MakeLoopThread =
    @Sendable (String, EventLoopConfiguration, RocketLogger) throws(SystemError) -> any LoopThread

@_spi(Simulation) extension IOThread: LoopThread {}
