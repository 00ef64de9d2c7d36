import RocketSystem
import Synchronization
import Testing

@Suite struct TaskSuspensionTests {
    /// A suspended task's continuation, and what it heard.
    final class Waiter: Sendable {
        let cancellations = Atomic(0)
        private let waiting = Locked(State())

        private struct State {
            nonisolated(unsafe) var continuation: UnsafeContinuation<Void, Never>?
            var isResumed = false
        }

        func wait(_ began: @Sendable () -> Void = {}) async {
            await suspendTask {
                cancellations.add(1, ordering: .relaxed)
                resume()
            } _: { continuation in
                let isLate = waiting.withLock { state in
                    state.continuation = continuation
                    return state.isResumed
                }
                if isLate { continuation.resume() } else { began() }
            }
        }

        func resume() {
            let continuation = waiting.withLock { state in
                let isFirst = !state.isResumed
                state.isResumed = true
                return isFirst ? state.continuation : nil
            }
            continuation?.resume()
        }
    }

    @Test func aTaskGoesOnWhenItIsResumed() async {
        let waiter = Waiter()
        await waiter.wait { Task.detached { waiter.resume() } }
        #expect(waiter.cancellations.load(ordering: .relaxed) == 0)
    }

    @Test func cancellingASuspendedTaskIsHeardOnce() async {
        let waiter = Waiter()
        let began = AsyncStream<Void>.makeStream()
        let task = Task.detached { await waiter.wait { began.continuation.yield() } }
        for await _ in began.stream { break }
        task.cancel()
        await task.value
        #expect(waiter.cancellations.load(ordering: .relaxed) == 1)
    }

    @Test func aTaskThatIsCancelledAlreadyHearsItAtOnce() async {
        let waiter = Waiter()
        await Task.detached {
            withUnsafeCurrentTask { unsafe $0?.cancel() }
            await waiter.wait()
        }.value
        #expect(waiter.cancellations.load(ordering: .relaxed) == 1)
    }

    @Test func nothingIsHeardAfterTheEnd() async {
        let waiter = Waiter()
        await Task.detached {
            await waiter.wait { Task.detached { waiter.resume() } }
            withUnsafeCurrentTask { unsafe $0?.cancel() }
        }.value
        #expect(waiter.cancellations.load(ordering: .relaxed) == 0)
    }

    /// On a queue of its own, so that leaving it would be seen.
    actor Place {
        func isLeft(_ waiter: Waiter) async -> Bool {
            await waiter.wait { Task.detached { waiter.resume() } }
            preconditionIsolated()
            return false
        }
    }

    @Test func anActorsFunctionGoesOnInTheActor() async {
        let isLeft = await Place().isLeft(Waiter())
        #expect(!isLeft)
    }
}
