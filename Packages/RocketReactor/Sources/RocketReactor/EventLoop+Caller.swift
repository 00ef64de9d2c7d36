import RocketSystem

// A thread that has work for a sleeping loop drives the loop itself, in place of waking the loop's
// thread: a wake-up takes longer than most tasks. The loop's thread releases the loop while it
// sleeps in `epoll_wait`, and claims it again before it touches anything of it.

extension EventLoop {
    /// Runs `task` on the calling thread, as the loop's own would, and the ends of its tick, which
    /// send what it has written; then returns. The calling thread drives the loop meanwhile:
    /// `isInLoop` is true on it. Tasks that it leaves on the loop run on the loop's thread.
    ///
    /// Any thread that holds no lock: callbacks run in it. For short tasks: what arrives for the
    /// loop meanwhile waits.
    ///
    /// - Returns: false, and `task` has not run, unless the loop's thread sleeps, nothing waits for
    ///   it, and its configuration has `runsInCallers`: then `offer` the task.
    public func runInCaller(_ task: (Reactor) -> Void) -> Bool {
        guard configuration.runsInCallers, wakeup.hasSleeper, inbox.isEmpty, !isInLoop
        else { return false }
        return caller.withLockIfFree { _ in drive(task) } ?? false
    }

    private func drive(_ task: (Reactor) -> Void) -> Bool {
        guard claimIfFree() else { return false }
        if hasEnded {
            release()
            // A job that came meanwhile has found the loop claimed.
            runLateJobs()
            return false
        }
        reactor.runWhileAsleep(task)
        release()
        return true
    }
}

extension Reactor {
    /// Waits for events. Where `runInCaller` is allowed, other threads may drive the loop meanwhile.
    @inline(__always)
    func sleep(_ nanoseconds: Int64) -> Int {
        if !runsInCallers || nanoseconds == 0 { return poller.wait(nanoseconds: nanoseconds) }
        return sleepUnclaimed(nanoseconds)
    }

    @inline(never)
    private func sleepUnclaimed(_ nanoseconds: Int64) -> Int {
        let loop = loop
        loop.release()
        let ready = poller.wait(nanoseconds: nanoseconds)
        // Waits for a caller that drives the loop.
        if !loop.claimIfFree() { loop.caller.withLock { _ in loop.claim() } }
        return ready
    }

    /// Runs a task and the ends of its tick, while the loop's thread sleeps. That is woken where it
    /// has to do something earlier than before.
    fileprivate func runWhileAsleep(_ task: (Reactor) -> Void) {
        let wakeTime = unsafe timers.earliest ?? .distantFuture
        callerBegins()
        isTicking = true
        task(self)
        callbackEnded("execute")
        runTickEnds()
        isTicking = false
        applyInterestChanges()
        counters.markProgress(callbackBegan, isWaiting: true)
        if unsafe hasWork || timers.earliest ?? .distantFuture < wakeTime { wakeup.wakeIfAsleep() }
    }

    private func callerBegins() {
        tickTime = time.monotonic()
        waited &+= tickTime.nanoseconds &- callbackBegan
        callbackBegan = tickTime.nanoseconds
        lateness = 0
        statistics.tasks &+= 1
        counters.markProgress(tickTime.nanoseconds, isWaiting: false)
    }
}
