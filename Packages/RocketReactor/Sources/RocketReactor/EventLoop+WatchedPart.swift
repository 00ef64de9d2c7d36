public import RocketBase

extension EventLoop {
    /// The loop as a watchdog sees it: it answers with its tasks, so not while a callback holds
    /// it. One that has ended is not stuck.
    public var watchdogTarget: WatchdogTarget {
        WatchdogTarget(name: name) { [weak self] answer in
            if self?.execute({ _ in answer() }) != true { answer() }
        }
    }
}
