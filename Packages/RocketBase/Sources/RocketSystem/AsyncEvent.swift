/// An event that any number of tasks can wait for. Any thread.
///
/// It is used in one of two ways: as something that happens once (`fire` and `wait`), which stays
/// so for all who wait later; or as a signal that something has changed (`notify` and
/// `wait(until:)`), after which each waiting task evaluates its condition again.
public final class AsyncEvent: Sendable {
    private struct State {
        var isFired = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Locked(State())

    /// An event that has not happened yet.
    public init() {}

    /// Whether `fire` has been called.
    public var hasFired: Bool { state.withLock { $0.isFired } }

    /// Marks the event as happened, for good, and resumes all waiting tasks. Again: no effect.
    public func fire() { resumeAll { $0.isFired = true } }

    /// Resumes all waiting tasks, so that they evaluate their conditions again. Call it after the
    /// change.
    public func notify() { resumeAll { _ in } }

    /// Returns once `fire` has been called. Does not return early when the task is cancelled.
    public func wait() async {
        while await !suspend(unless: { $0.isFired }) {}
    }

    /// Returns once `condition` holds, or the task is cancelled.
    ///
    /// - Parameter condition: evaluated at once and after each `notify`, under the event's lock; it
    ///   must not call the event.
    public func wait(until condition: () -> Bool) async {
        await withTaskCancellationHandler {
            while await !suspend(unless: { _ in condition() || Task.isCancelled }) {}
        } onCancel: {
            notify()
        }
    }

    private func resumeAll(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state in
            change(&state)
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Suspends until the next `fire` or `notify`, unless `isOver` holds already.
    ///
    /// - Returns: whether `isOver` held; false after a resumption.
    private func suspend(unless isOver: (borrowing State) -> Bool) async -> Bool {
        var wasOver = false
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            wasOver = state.withLock { state in
                let isOver = isOver(state)
                if !isOver { state.waiting.append(continuation) }
                return isOver
            }
            if wasOver { continuation.resume() }
        }
        return wasOver
    }
}
