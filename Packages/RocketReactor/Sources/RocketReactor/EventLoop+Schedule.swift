import RocketSystem

extension EventLoop {
    /// Runs `body` on the loop's thread once `delay` has passed since this call, never earlier.
    /// Any thread.
    ///
    /// - Parameter label: names the timer in logs of slow callbacks.
    @discardableResult
    public func schedule(
        after delay: Duration, label: StaticString = "timer",
        _ body: @escaping @Sendable (Reactor) -> Void
    ) -> LoopTimer {
        schedule(after: delay, every: nil, label, body)
    }

    /// Runs `body` on the loop's thread each time `interval` has passed, until cancelled; one that
    /// is late fires once. Any thread.
    @discardableResult
    public func schedule(
        every interval: Duration, label: StaticString = "timer",
        _ body: @escaping @Sendable (Reactor) -> Void
    ) -> LoopTimer {
        schedule(after: interval, every: interval, label, body)
    }

    private func schedule(
        after delay: Duration, every interval: Duration?, _ label: StaticString,
        _ body: @escaping @Sendable (Reactor) -> Void
    ) -> LoopTimer {
        let deadline = time.monotonic() + delay
        let handle = LoopTimer(loop: self, isRepeating: interval != nil)
        let isAccepted = execute { reactor in
            guard handle.isActive else { return }
            let timer = reactor.schedule(at: deadline, every: interval, label: label) {
                if handle.mayFire() { body($0) }
            }
            handle.armed(timer, on: reactor)
        }
        if !isAccepted { handle.cancel() }
        return handle
    }
}
