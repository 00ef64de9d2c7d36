import RocketSystem
import Synchronization

/// A timer that any thread can schedule and cancel. Releasing the handle does not cancel it.
public final class LoopTimer: Sendable {
    private enum State: UInt8, AtomicRepresentable { case waiting, fired, cancelled }

    private let state = Atomic(State.waiting)
    private let isRepeating: Bool
    private let loop: EventLoop
    private let timer = Locked<LoopBound<ScheduledTimer>?>(nil)

    fileprivate init(loop: EventLoop, isRepeating: Bool) {
        self.loop = loop
        self.isRepeating = isRepeating
    }

    /// True until the timer has fired for the last time or was cancelled.
    public var isActive: Bool { state.load(ordering: .acquiring) == .waiting }

    /// Cancels the timer: no firing begins after this returns. One that is running continues.
    ///
    /// - Returns: true when a firing was prevented, false when it was too late or had been done.
    @discardableResult
    public func cancel() -> Bool {
        let (done, _) = state.compareExchange(
            expected: .waiting, desired: .cancelled, ordering: .acquiringAndReleasing)
        // The rest only frees memory.
        if done { loop.execute { _ in self.takeTimer()?.get().cancel() } }
        return done
    }

    /// Returns whether the body runs now that a deadline has passed. On the loop's thread.
    fileprivate func mayFire() -> Bool {
        if isRepeating { return isActive }
        takeTimer()
        return state.compareExchange(
            expected: .waiting, desired: .fired, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Records the timer in the reactor's queue that fires this one. On the loop's thread.
    fileprivate func armed(_ armed: ScheduledTimer, on reactor: Reactor) {
        let bound = LoopBound(armed, on: reactor)
        timer.withLock { $0 = bound }
    }

    @discardableResult
    private func takeTimer() -> LoopBound<ScheduledTimer>? { timer.withLock { $0.take() } }
}

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

    /// Runs `body` on the loop's thread each time `interval` has passed, until cancelled. A late
    /// timer fires once. Any thread.
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
