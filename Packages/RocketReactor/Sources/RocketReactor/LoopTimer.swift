import RocketSystem
import Synchronization

/// A timer that was scheduled from any thread, and can be cancelled from any thread. Dropping the
/// handle does not cancel it.
public final class LoopTimer: Sendable {
    private enum State: UInt8, AtomicRepresentable { case waiting, fired, cancelled }

    private let state = Atomic(State.waiting)
    private let isRepeating: Bool
    private let loop: EventLoop
    private let timer = Locked<LoopBound<ScheduledTimer>?>(nil)

    init(loop: EventLoop, isRepeating: Bool) {
        self.loop = loop
        self.isRepeating = isRepeating
    }

    /// True until it has fired for the last time or was cancelled.
    public var isActive: Bool { state.load(ordering: .acquiring) == .waiting }

    /// From when this returns on, no firing begins (one that runs on the loop goes on).
    ///
    /// - Returns: true when a firing was prevented, false when it was too late or done before.
    @discardableResult
    public func cancel() -> Bool {
        let (done, _) = state.compareExchange(
            expected: .waiting, desired: .cancelled, ordering: .acquiringAndReleasing)
        // What remains is giving the memory back.
        if done { loop.execute { _ in self.takeTimer()?.get().cancel() } }
        return done
    }

    /// The loop's thread: a deadline has passed.
    func mayFire() -> Bool {
        if isRepeating { return isActive }
        takeTimer()
        return state.compareExchange(
            expected: .waiting, desired: .fired, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// The loop's thread: it stands in the reactor's queue.
    func armed(_ armed: ScheduledTimer, on reactor: Reactor) {
        let bound = LoopBound(armed, on: reactor)
        timer.withLock { $0 = bound }
    }

    @discardableResult
    private func takeTimer() -> LoopBound<ScheduledTimer>? { timer.withLock { $0.take() } }
}
