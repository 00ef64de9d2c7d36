public import RocketSystem

extension Reactor {
    /// Runs `body` once, when `delay` has passed since this tick's `now`, never earlier and never
    /// in this tick's round of timers. Negative delays count as none.
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
    /// cancelled. One that is late fires once and goes on with the next multiple of the interval.
    @discardableResult
    public func schedule(
        every interval: Duration, label: StaticString = "timer",
        _ body: @escaping (Reactor) -> Void
    ) -> ScheduledTimer {
        schedule(at: now + interval, every: interval, label: label, body)
    }

    /// Runs `body` once when `deadline` has come, in the next tick when it has passed.
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
        // A timer for now, set by a timer, must not be found by the same round: it would never end.
        let deadline = max(deadline, now + .nanoseconds(1))
        timer.id = unsafe timers.insert(at: deadline, every: interval, timer)
        return timer
    }

    /// Timers that wait.
    public var timerCount: Int { unsafe timers.count }
}
