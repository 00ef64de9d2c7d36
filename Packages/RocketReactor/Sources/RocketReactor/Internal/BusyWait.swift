import RocketSystem

/// Decides for how long a loop looks for events before it sleeps. A loop whose last wait was short
/// expects the next event soon, too; one that has slept for longer sleeps at once, so an idle loop
/// costs nothing. A pure value, owned by its reactor.
struct BusyWait {
    /// In nanoseconds; 0: it never waits busily.
    let limit: UInt64
    private var isWorthwhile = false

    init(nanoseconds: UInt64) { limit = nanoseconds }

    /// - Parameter duration: 0 to 1 ms; others are clamped.
    init(_ duration: Duration) {
        limit = UInt64(min(max(0, duration.wholeNanoseconds), 1_000_000))
    }

    /// How long to look for events now, in nanoseconds; 0: not at all.
    var nanoseconds: UInt64 { isWorthwhile ? limit : 0 }

    /// Records how long the loop has waited, busily or asleep.
    mutating func waited(_ nanoseconds: UInt64) {
        if limit > 0 { isWorthwhile = nanoseconds <= limit }
    }
}

extension Reactor {
    /// Sets how long the loop looks for events before it sleeps, in place of its configuration's
    /// `busyWait`. From its next wait on.
    public func setBusyWait(_ duration: Duration) { busyWait = BusyWait(duration) }

    /// Looks for events and tasks until there are some. Senders need not wake the loop meanwhile.
    ///
    /// - Parameter hasWaited: set to true when a look has found no events.
    /// - Returns: the number of events; nil: there is nothing to do before the end of the busy wait,
    ///   of the limit or of the next timer's time.
    @inline(never)
    func waitBusily(_ limit: Int64, hasWaited: inout Bool) -> Int? {
        let longest = limit < 0 ? busyWait.nanoseconds : min(busyWait.nanoseconds, UInt64(limit))
        var end = callbackBegan &+ longest
        unsafe timers.prune()
        if let timer = unsafe timers.earliest { end = min(end, timer.nanoseconds) }
        repeat {
            let ready = poller.wait(nanoseconds: 0)
            if ready == 0 { hasWaited = true }
            if ready > 0 || !inbox.isEmpty { return ready }
        } while time.monotonic().nanoseconds < end
        return nil
    }
}
