/// Decides for how long a loop looks for events before it sleeps. A loop whose last wait was short
/// expects the next event soon, too; one that has slept for longer sleeps at once, so an idle loop
/// costs nothing. A pure value, owned by its reactor.
struct BusyWait {
    /// In nanoseconds; 0: it never waits busily.
    let limit: UInt64
    private var isWorthwhile = false

    init(nanoseconds: UInt64) { limit = nanoseconds }

    /// How long to look for events now, in nanoseconds; 0: not at all.
    var nanoseconds: UInt64 { isWorthwhile ? limit : 0 }

    /// Records how long the loop has waited, busily or asleep.
    mutating func waited(_ nanoseconds: UInt64) {
        if limit > 0 { isWorthwhile = nanoseconds <= limit }
    }
}
