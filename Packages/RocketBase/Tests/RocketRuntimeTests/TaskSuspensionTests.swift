import RocketRuntime
import RocketSystem
import Synchronization
import Testing

@Suite("Task suspension")
struct TaskSuspensionTests {
    /// A suspended task's continuation, and a count of the cancellations that it observed.
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

    @Test("A task continues when its continuation is resumed")
    func resumption() async {
        let waiter = Waiter()
        await waiter.wait { Task.detached { waiter.resume() } }
        #expect(waiter.cancellations.load(ordering: .relaxed) == 0)
    }

    @Test("Cancelling a suspended task calls onCancel once")
    func cancellation() async {
        let waiter = Waiter()
        let began = AsyncStream<Void>.makeStream()
        let task = Task.detached { await waiter.wait { began.continuation.yield() } }
        for await _ in began.stream { break }
        task.cancel()
        await task.value
        #expect(waiter.cancellations.load(ordering: .relaxed) == 1)
    }

    @Test("A task that was cancelled before calls onCancel at once")
    func earlyCancellation() async {
        let waiter = Waiter()
        await Task.detached {
            withUnsafeCurrentTask { unsafe $0?.cancel() }
            await waiter.wait()
        }.value
        #expect(waiter.cancellations.load(ordering: .relaxed) == 1)
    }

    @Test("A cancellation after the end does not call onCancel")
    func lateCancellation() async {
        let waiter = Waiter()
        await Task.detached {
            await waiter.wait { Task.detached { waiter.resume() } }
            withUnsafeCurrentTask { unsafe $0?.cancel() }
        }.value
        #expect(waiter.cancellations.load(ordering: .relaxed) == 0)
    }

    /// Has an executor of its own, so that leaving it would be observed.
    actor Isolation {
        func isLeft(_ waiter: Waiter) async -> Bool {
            await waiter.wait { Task.detached { waiter.resume() } }
            preconditionIsolated()
            return false
        }
    }

    @Test("A function of an actor continues in the actor")
    func isolation() async {
        let isLeft = await Isolation().isLeft(Waiter())
        #expect(!isLeft)
    }
}
