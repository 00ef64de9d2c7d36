import RocketReactor
import RocketSystem
import Synchronization

extension EventLoop {
    /// Waits by the loop's clock. Returns early when the task is cancelled, and at once when the loop
    /// has ended.
    func sleep(for duration: Duration) async {
        let sleep = LoopSleep()
        let timer = schedule(after: duration, label: "etcd back-off") { _ in sleep.end() }
        if !timer.isActive { return }
        await sleep.wait()
        timer.cancel()
    }
}

private final class LoopSleep: Sendable {
    private let hasEnded = Atomic(false)
    private let event = AsyncEvent()

    func end() {
        hasEnded.store(true, ordering: .releasing)
        event.notify()
    }

    func wait() async { await event.wait { hasEnded.load(ordering: .acquiring) } }
}
