import RocketSystem
import Synchronization
import Testing

@Suite("AsyncEvent")
struct AsyncEventTests {
    @Test("Resumes every task that waits when it fires, and no later task suspends")
    func firing() async {
        let event = AsyncEvent()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { await event.wait() } }
            event.fire()
            await group.waitForAll()
        }
        await event.wait()
        event.fire()
        await event.wait()
    }

    @Test("A notification does not count as firing")
    func notifying() async {
        let event = AsyncEvent()
        let isOver = Atomic(false)
        let waiting = Task {
            await event.wait()
            return isOver.load(ordering: .acquiring)
        }
        for _ in 0..<100 {
            event.notify()
            await Task.yield()
        }
        isOver.store(true, ordering: .releasing)
        event.fire()
        #expect(await waiting.value)
    }

    @Test("Evaluates the condition at once and after each notification")
    func conditions() async {
        let event = AsyncEvent()
        let count = Atomic(0)
        await event.wait { count.load(ordering: .acquiring) == 0 }
        let waiting = Task { await event.wait { count.load(ordering: .acquiring) >= 3 } }
        for _ in 0..<3 {
            count.wrappingAdd(1, ordering: .acquiringAndReleasing)
            event.notify()
        }
        await waiting.value
        #expect(count.load(ordering: .acquiring) == 3)
    }

    @Test("A cancelled task stops waiting for its condition")
    func cancelling() async {
        let event = AsyncEvent()
        let waiting = Task { await event.wait { false } }
        waiting.cancel()
        await waiting.value
        #expect(waiting.isCancelled)
    }
}
