import RocketBase
import RocketSystem

/// What one tick has done.
public struct TickResult: Hashable, Sendable {
    /// Events delivered to handlers.
    public var events = 0
    /// Timers fired.
    public var timers = 0
    /// Closures and executor jobs run.
    public var tasks = 0

    /// True when nothing was to be done.
    public var isIdle: Bool { events + timers + tasks == 0 }
}

/// One round of the loop, in its order: wait, wakeup, I/O, expired timers, tasks, tick ends.
extension Reactor {
    /// - Parameter nanoseconds: the longest wait; 0 none, negative for ever.
    func tick(waitingAtMost nanoseconds: Int64) -> TickResult {
        precondition(!isTicking, "a tick is not run from inside a tick")
        isTicking = true
        defer { isTicking = false }
        var result = TickResult()
        applyChanges()
        let ready = wait(nanoseconds)
        takeTasks()
        result.events = deliver(ready)
        result.timers = fireTimers()
        result.tasks = runTasks()
        count(result)
        return result
    }

    /// Fetches what other threads have sent.
    func takeTasks() {
        if inbox.isEmpty { return }
        unsafe inbox.drain(into: &tasks, spare: &inboxSpare)
        publishedBacklog = unsafe tasks.count
    }

    /// Work that is here already: there is no waiting before it is done.
    var hasWork: Bool { unsafe !tasks.isEmpty || !tickEnds.isEmpty || !inbox.isEmpty }

    private func wait(_ limit: Int64) -> Int {
        var nanoseconds = hasWork ? 0 : limit
        if nanoseconds != 0 {
            nanoseconds = timeToNextTimer(limit)
            // From here on a sender writes; a task that came before is seen here.
            wakeup.willSleep()
            if !inbox.isEmpty { nanoseconds = 0 }
            counters.markProgress(now.nanoseconds, isWaiting: true)
        }
        let ready = poller.wait(nanoseconds: nanoseconds)
        wakeup.isAwake()
        tickTime = time.monotonic()
        counters.markProgress(now.nanoseconds, isWaiting: false)
        callbackBegan = now.nanoseconds
        return ready
    }

    /// The clock is read once more here, since the callbacks of the last tick took their time; but
    /// only when a timer waits and nothing else is to be done.
    private func timeToNextTimer(_ limit: Int64) -> Int64 {
        unsafe timers.prune()
        guard let earliest = unsafe timers.earliest else { return limit }
        let moment = time.monotonic()
        let left = earliest > moment ? earliest.nanoseconds - moment.nanoseconds : 0
        let nanoseconds = Int64(clamping: left)
        return limit < 0 ? nanoseconds : min(limit, nanoseconds)
    }

    private func deliver(_ ready: Int) -> Int {
        var delivered = 0
        for index in 0..<ready {
            let (token, events) = poller.event(index)
            guard let registration = unsafe table[token], let handler = registration.handler else {
                continue
            }
            // Read before the call, so that the registration need not be held across it.
            let label = registration.label
            // An earlier callback of this tick may have changed the interest.
            let wanted = IOEvents(rawValue: registration.interest.rawValue & 7 | 48)
            let heard = events.intersection(wanted)
            if heard.isEmpty { continue }
            handler.ready(heard, on: self)
            delivered += 1
            callbackEnded(label)
        }
        return delivered
    }

    private func fireTimers() -> Int {
        var fired = 0
        while fired < timersPerTick,
            let (_, timer) = unsafe timers.popExpired(now: now)
        {
            timer.fire(on: self)
            fired += 1
            callbackEnded(timer.label)
        }
        return fired
    }

    /// Tasks, then tick ends, and again what these have brought, while the budget lasts. Each
    /// enrolled handler is called before the tick ends; what remains is for the next one.
    private func runTasks() -> Int {
        let budget = tasksPerTick
        var run = 0
        var rounds = 0
        repeat {
            takeTasks()
            let waiting = unsafe tasks.count
            if waiting > statistics.mostTasksWaiting || waiting >= taskLimit { note(waiting) }
            while run < budget, let task = unsafe tasks.popFirst() {
                perform(task)
                run += 1
                callbackEnded(task.label)
            }
            runTickEnds()
            rounds += 1
        } while run < budget && rounds < budget && hasWork
        unsafe tasks.shrink(to: 65_536)
        publishBacklog()
        return run
    }

    func runTickEnds() {
        // Whoever enrols from now on stands behind these, and has his turn in the next round.
        var left = unsafe tickEnds.count
        if left == 0 { return }
        while left > 0, let handler = unsafe tickEnds.popFirst() {
            handler.tickEnding(on: self)
            left &-= 1
        }
        callbackEnded("tick end")
    }

    private func count(_ result: TickResult) {
        statistics.ticks &+= 1
        statistics.events &+= UInt64(result.events)
        statistics.timers &+= UInt64(result.timers)
        statistics.tasks &+= UInt64(result.tasks)
        counters.publish(statistics)
    }

    /// Each callback's end is the next one's beginning: one look at the clock per callback.
    @inline(__always)
    private func callbackEnded(_ label: StaticString) {
        let moment = time.monotonic().nanoseconds
        let taken = moment &- callbackBegan
        callbackBegan = moment
        if taken > statistics.longestCallbackNanoseconds { longest(taken) }
        if taken >= slowCallbackNanoseconds { reportSlow(label, taken) }
    }

    private func longest(_ taken: UInt64) { statistics.longestCallbackNanoseconds = taken }

    @inline(never)
    private func reportSlow(_ label: StaticString, _ taken: UInt64) {
        let duration = Duration.nanoseconds(Int64(clamping: taken))
        let slow = SlowCallback(loop: loop.name, label: label, duration: duration)
        loop.logger.warn("a callback held its loop up") {
            $0.add("loop", slow.loop)
            $0.add("callback", label)
            $0.add("us", taken / 1000)
        }
        loop.configuration.onSlowCallback?(slow)
    }
}
