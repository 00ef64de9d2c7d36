import RocketReactor
import RocketSystem

/// Suspends tasks by timers of a loop.
enum VirtualSleep {
    private enum State {
        case new
        case waiting(CheckedContinuation<Bool, Never>)
        case ended(isCancelled: Bool)
    }

    /// How long a sleep lasts that begins when its task is cancelled already.
    private static let cancelledSleep = Duration.milliseconds(1)

    /// - Throws: `CancellationError` when the task is cancelled. Where it was cancelled before, that
    ///   takes a moment: a task that goes on all the same must not run without end at one time.
    static func sleep(for duration: Duration, on loop: EventLoop) async throws {
        if Task.isCancelled {
            let sleep = Sleep()
            loop.schedule(after: cancelledSleep, label: "sleep") { _ in
                sleep.end(isCancelled: true)
            }
            _ = await withCheckedContinuation { sleep.begin($0) }
            throw CancellationError()
        }
        let sleep = Sleep()
        let timer = loop.schedule(after: duration, label: "sleep") { _ in
            sleep.end(isCancelled: false)
        }
        let isCancelled = await withTaskCancellationHandler {
            await withCheckedContinuation { sleep.begin($0) }
        } onCancel: {
            sleep.end(isCancelled: true)
        }
        if isCancelled {
            timer.cancel()
            throw CancellationError()
        }
    }

    private final class Sleep: Sendable {
        private let state = Locked(State.new)

        func begin(_ continuation: CheckedContinuation<Bool, Never>) {
            let ended = state.withLock { state -> Bool? in
                if case .ended(let isCancelled) = state { return isCancelled }
                state = .waiting(continuation)
                return nil
            }
            if let ended { continuation.resume(returning: ended) }
        }

        func end(isCancelled: Bool) {
            let waiting = state.withLock { state -> CheckedContinuation<Bool, Never>? in
                defer {
                    if case .ended = state {} else { state = .ended(isCancelled: isCancelled) }
                }
                if case .waiting(let continuation) = state { return continuation }
                return nil
            }
            waiting?.resume(returning: isCancelled)
        }
    }
}
