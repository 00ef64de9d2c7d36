import RocketSystem

/// Rung whenever something has changed; whoever waits looks again. Any thread.
final class Doorbell: Sendable {
    private let waiting = Locked<[CheckedContinuation<Void, Never>]>([])

    /// After the change.
    func ring() {
        let waiting = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns once `condition` holds, or the task is cancelled. `condition` must not ring.
    func wait(until condition: () -> Bool) async {
        await withTaskCancellationHandler {
            while await !look(condition) {}
        } onCancel: {
            ring()
        }
    }

    /// Whether the waiting is over; false after a ring. What changes while it looks rings later.
    private func look(_ condition: () -> Bool) async -> Bool {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOver = waiting.withLock { waiting in
                let isOver = condition() || Task.isCancelled
                if !isOver { waiting.append(continuation) }
                return isOver
            }
            if isOver { continuation.resume() }
        }
        return condition() || Task.isCancelled
    }
}
