import RocketBase
import RocketSystem

/// The queue of tasks as seen from its loop: how long it was, and whether it is too long.
extension Reactor {
    /// More tasks wait than ever before, or too many. One line each time that it becomes too many.
    @inline(never)
    func note(_ waiting: Int) {
        statistics.mostTasksWaiting = max(statistics.mostTasksWaiting, waiting)
        if waiting < taskLimit || isOverTaskLimit { return }
        isOverTaskLimit = true
        loop.logger.warn("a loop gets more tasks than it runs") {
            $0.add("loop", self.loop.name)
            $0.add("waiting", waiting)
            $0.add("limit", self.taskLimit)
        }
    }

    /// What waits at a tick's end: senders see it, and the next warning needs half a limit of calm.
    func publishBacklog() {
        let left = unsafe tasks.count
        if left == publishedBacklog { return }
        publishedBacklog = left
        inbox.publish(backlog: left)
        if left <= taskLimit / 2 { isOverTaskLimit = false }
    }
}
