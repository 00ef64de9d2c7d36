public import RocketSystem

/// A timer of a reactor, bound to its loop's thread. Releasing the handle does not cancel it.
public final class ScheduledTimer {
    /// Names the timer in logs of slow callbacks.
    public let label: StaticString
    fileprivate var id: TimerID?
    private let isRepeating: Bool
    private var body: ((Reactor) -> Void)?
    private var reactor: Reactor?

    fileprivate init(
        label: StaticString, isRepeating: Bool, reactor: Reactor,
        body: @escaping (Reactor) -> Void
    ) {
        self.label = label
        self.isRepeating = isRepeating
        self.reactor = reactor
        self.body = body
    }

    /// True until the timer has fired for the last time or was cancelled.
    public var isActive: Bool { body != nil }

    /// Prevents any further firing, also when the deadline has passed in this very tick. A
    /// repeating timer may cancel itself while it fires. Again, or too late: without effect.
    public func cancel() {
        guard let reactor = end(), let id else { return }
        unsafe reactor.timers.remove(id)
    }

    /// Runs the body: the deadline has passed. Does nothing when the timer was cancelled earlier
    /// in the same tick.
    func fire(on reactor: Reactor) {
        guard let body else { return }
        if !isRepeating { _ = end() }
        body(reactor)
    }

    /// Releases body and reactor.
    func end() -> Reactor? {
        body = nil
        defer { reactor = nil }
        return reactor
    }
}

extension Reactor {
    /// Runs `body` once, when `delay` has passed since this tick's `now`, never earlier and never
    /// in this tick's round of timers. A negative delay counts as zero.
    ///
    /// - Parameter label: names the timer in logs of slow callbacks.
    @discardableResult
    public func schedule(
        after delay: Duration, label: StaticString = "timer",
        _ body: @escaping (Reactor) -> Void
    ) -> ScheduledTimer {
        schedule(at: now + delay, every: nil, label: label, body)
    }

    /// Runs `body` each time `interval` has passed, first after one interval, until the timer is
    /// cancelled. A late timer fires once and continues with the next multiple of the interval.
    @discardableResult
    public func schedule(
        every interval: Duration, label: StaticString = "timer",
        _ body: @escaping (Reactor) -> Void
    ) -> ScheduledTimer {
        schedule(at: now + interval, every: interval, label: label, body)
    }

    /// Runs `body` once at `deadline`; in the next tick when it has passed already.
    @discardableResult
    public func schedule(
        at deadline: MonotonicTime, label: StaticString = "timer",
        _ body: @escaping (Reactor) -> Void
    ) -> ScheduledTimer {
        schedule(at: deadline, every: nil, label: label, body)
    }

    func schedule(
        at deadline: MonotonicTime, every interval: Duration?, label: StaticString,
        _ body: @escaping (Reactor) -> Void
    ) -> ScheduledTimer {
        let timer = ScheduledTimer(
            label: label, isRepeating: interval != nil, reactor: self, body: body)
        // A timer for now that is set by a timer must not expire in the same round: the round would
        // never end.
        let deadline = max(deadline, now + .nanoseconds(1))
        timer.id = unsafe timers.insert(at: deadline, every: interval, timer)
        return timer
    }

    /// How many timers wait.
    public var timerCount: Int { unsafe timers.count }
}
